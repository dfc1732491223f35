// Runs the Action of the documentation: events in, as JSON on standard input, and what
// it called for each of them out, as JSON on standard output.
//
// The api object takes what Auth0's takes and throws where Auth0's throws; the limits
// are those of Auth0's reference: actions/reference/custom-token-exchange and
// customize/actions/limitations. One cache serves all events, as in one instance.

const { onExecuteCustomTokenExchange } = require(process.argv[2]);

const check = (condition, message) => {
  if (!condition) throw new Error(message);
};
const text = (...values) => values.every((each) => each && typeof each === "string");

const cache = new Map();
const lifetimes = [];
const cacheApi = {
  get: (key) => {
    const record = cache.get(key);
    return record && record.expires_at > Date.now() ? record : undefined;
  },
  set: (key, value, { ttl = 900_000 } = {}) => {
    check(text(key, value), "cache: strings only");
    if (Buffer.byteLength(key) > 64) {
      return { type: "error", code: "CacheKeySizeExceeded" };
    }
    if (!cache.has(key) && cache.size >= 20) {
      return { type: "error", code: "CacheSizeExceeded" };
    }
    const record = { value, expires_at: Date.now() + ttl };
    cache.set(key, record);
    lifetimes.push(ttl);
    return { type: "success", record };
  },
};

const apiThatRecords = (calls) => {
  const record =
    (name, rule) =>
    (...given) => {
      rule(...given);
      calls.push([name, ...given]);
    };
  return {
    access: {
      deny: record("deny", (code, reason) => check(text(code, reason), "deny")),
      rejectInvalidSubjectToken: record("rejectInvalidSubjectToken", (reason) =>
        check(text(reason), "rejectInvalidSubjectToken"),
      ),
    },
    authentication: {
      setActor: record("setActor", ({ sub, act, ...more }) => {
        check(text(sub) && sub.length <= 512, "setActor: sub");
        check(act === undefined, "setActor: one level for a session transfer token");
        check(Object.keys(more).length <= 5, "setActor: five more properties");
        for (const value of Object.values(more)) {
          check(["string", "number", "boolean"].includes(typeof value), "setActor: type");
          check(typeof value !== "string" || value.length <= 64, "setActor: length");
        }
      }),
      setUserByConnection: record(
        "setUserByConnection",
        (connection, { user_id }, { creationBehavior, updateBehavior }) => {
          check(text(connection, user_id), "setUserByConnection");
          check(["none", "create_if_not_exists"].includes(creationBehavior), "creation");
          check(["none", "replace"].includes(updateBehavior), "update");
        },
      ),
    },
    cache: cacheApi,
  };
};

(async () => {
  const events = JSON.parse(require("node:fs").readFileSync(0, "utf8"));
  const outcomes = [];
  for (const event of events) {
    const calls = [];
    let thrown = null;
    try {
      await onExecuteCustomTokenExchange(event, apiThatRecords(calls));
    } catch (error) {
      thrown = error.name;
    }
    outcomes.push({ calls, thrown, lifetimes: lifetimes.splice(0) });
  }
  console.log(JSON.stringify(outcomes));
})();
