// Which operation was called in which step, and what came of it.
//
// An operation behaves when a step that it answered in passed and no step that called it failed.
// A step that fails is charged to all that it called: the figure may understate, never overstate.

export class Ledger {
  #answered = new Set();
  #charged = new Map();
  #step = null;
  passed = 0;
  failures = [];

  // Runs one step; false when it failed. What it throws is kept, and the walk goes on.
  async step(name, body) {
    this.#step = { called: new Set(), answered: new Set() };
    const { called, answered } = this.#step;
    try {
      await body();
      answered.forEach((operation) => this.#answered.add(operation));
      this.passed += 1;
      return true;
    } catch (error) {
      for (const operation of called) {
        this.#charged.set(operation, [...(this.#charged.get(operation) ?? []), name]);
      }
      this.failures.push({ name, error });
      return false;
    } finally {
      this.#step = null;
    }
  }

  called(operation) {
    if (this.#step === null) {
      throw new Error(`${operation} was called outside of a step; prepare with the plain SDK`);
    }
    this.#step.called.add(operation);
  }

  answered(operation) {
    this.#step.answered.add(operation);
  }

  // Something outside of a step failed: nothing can be charged with it.
  broke(name, error) {
    this.failures.push({ name, error });
  }

  report(operations) {
    const charged = operations.filter((operation) => this.#charged.has(operation));
    const untouched = operations.filter(
      (operation) => !this.#charged.has(operation) && !this.#answered.has(operation),
    );
    return {
      charged: charged.map((operation) => [operation, this.#charged.get(operation)]),
      untouched,
      behaving: operations.length - charged.length - untouched.length,
      exercised: operations.length - untouched.length,
    };
  }
}
