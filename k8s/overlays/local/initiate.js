// Makes the one-member replica set of docker-compose.yml, unless it is there, and waits until it
// has a primary (at most 60 s). Run by mongosh.
const members = [{ _id: 0, host: "mongodb:27017" }];

try {
  rs.status();
} catch (error) {
  if (error.codeName !== "NotYetInitialized") {
    throw error;
  }
  rs.initiate({ _id: "ordermesh", members });
}

for (let second = 0; second < 60; second += 1) {
  if (db.hello().isWritablePrimary) {
    quit(0);
  }
  sleep(1000);
}
print("the replica set has no primary after 60 s");
quit(1);
