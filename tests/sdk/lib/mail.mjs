// A mail server on loopback that keeps what it is given.

import { createServer } from 'node:net';

export class MailBox {
  #mails = [];
  #waiting = [];
  #server = createServer((socket) => this.#talk(socket));

  listen(port) {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(port, '127.0.0.1', resolve);
    });
  }

  close() {
    this.#server.close();
    this.#server.unref();
  }

  // The text of the next mail to an address; each mail is taken once.
  next(address, seconds = 20) {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(
        () => reject(new Error(`no mail for ${address} in ${seconds} s`)),
        seconds * 1000,
      );
      this.#waiting.push({ address, resolve: (text) => (clearTimeout(timer), resolve(text)) });
      this.#deal();
    });
  }

  #deal() {
    for (const reader of [...this.#waiting]) {
      const at = this.#mails.findIndex(({ to }) => to.includes(reader.address.toLowerCase()));
      if (at < 0) continue;
      const [mail] = this.#mails.splice(at, 1);
      this.#waiting.splice(this.#waiting.indexOf(reader), 1);
      reader.resolve(mail.text);
    }
  }

  #talk(socket) {
    let [buffer, data, to] = ['', null, []];
    const say = (line) => socket.write(`${line}\r\n`);
    say('220 walk');
    socket.on('error', () => {});
    socket.on('data', (chunk) => {
      buffer += chunk.toString('utf8');
      for (let end = buffer.indexOf('\r\n'); end >= 0; end = buffer.indexOf('\r\n')) {
        const line = buffer.slice(0, end);
        buffer = buffer.slice(end + 2);
        if (data !== null) {
          if (line !== '.') {
            data.push(line.replace(/^\.\./, '.'));
            continue;
          }
          this.#mails.push({ to, text: decoded(data.join('\r\n')) });
          [data, to] = [null, []];
          this.#deal();
          say('250 kept');
        } else if (/^rcpt to:/i.test(line)) {
          to.push(line.match(/<(.*)>/)[1].toLowerCase());
          say('250 ok');
        } else if (/^data/i.test(line)) {
          data = [];
          say('354 go on');
        } else if (/^quit/i.test(line)) {
          say('221 bye');
          socket.end();
        } else {
          say('250 ok');
        }
      }
    });
  }
}

// The readable text of a mail: each part's transfer encoding undone.
function decoded(raw) {
  const [head, ...rest] = raw.split('\r\n\r\n');
  const body = rest.join('\r\n\r\n');
  const boundary = head.match(/boundary="?([^";\r\n]+)"?/i)?.[1];
  if (boundary !== undefined) {
    const parts = body.split(`--${boundary}`).slice(1, -1);
    return parts.map((part) => decoded(part.replace(/^\r\n/, ''))).join('\n');
  }
  if (/content-transfer-encoding:\s*base64/i.test(head)) {
    return Buffer.from(body, 'base64').toString('utf8');
  }
  if (/content-transfer-encoding:\s*quoted-printable/i.test(head)) {
    const bytes = body
      .replace(/=\r\n/g, '')
      .replace(/=([0-9A-F]{2})/gi, (_, hex) => String.fromCharCode(parseInt(hex, 16)));
    return Buffer.from(bytes, 'latin1').toString('utf8');
  }
  return body;
}
