// The Action of the exchange profile: may this agent enter this customer's account?
//
// It verifies what docs/action/sign_subject.py signs. Change the four constants and
// mayEnter() to yours. Secret: SUBJECT_JWKS, the public keys. Dependency: jose.

const { createLocalJWKSet, errors, jwtVerify } = require("jose");

const ISSUER = "https://console.example.com"; // who signs: your console
const AUDIENCE = "https://acme.eu.auth0.com/"; // for whom: this tenant and no other
const CONNECTION = "Username-Password-Authentication"; // where customers come from
const PREFIX = "auth0|"; // what the IDs of its users begin with

const MAX_AGE = 60; // seconds, from signing to here
const SKEW = 5; // seconds that the two clocks may differ

/**
 * @param {Event} event - Details about the incoming token exchange request.
 * @param {CustomTokenExchangeAPI} api - What this Action decides.
 */
exports.onExecuteCustomTokenExchange = async (event, api) => {
  // The profile is for entering accounts. Without this line it also gives access tokens.
  if (!event.resource_server?.identifier?.endsWith(":session_transfer")) {
    return api.access.deny("invalid_target", "This profile only enters accounts.");
  }

  // Outside of the try: a broken secret is our mistake, not a bad token.
  const keys = createLocalJWKSet(JSON.parse(event.secrets.SUBJECT_JWKS));
  let customer;
  try {
    customer = await verify(event.transaction.subject_token, keys);
  } catch (error) {
    if (!(error instanceof errors.JOSEError)) throw error;
    // Counts towards the throttling of the agent's address.
    return api.access.rejectInvalidSubjectToken(`Subject token: ${error.code}`);
  }

  // Auth0 has verified the agent's ID token: this is the profile of its user.
  const agent = event.transaction.actor_token_user;
  if (!agent) {
    return api.access.deny("invalid_request", "No ID token of an agent came along.");
  }
  if (!mayEnter(agent, customer.sub)) {
    return api.access.deny("unauthorized_actor", "This agent may not enter here.");
  }
  const { reason } = event.request.body;
  if (!reason || typeof reason !== "string") {
    return api.access.deny("invalid_request", "Say why: pass reason=, a ticket number.");
  }

  // Once only. The key is limited to 64 bytes, the cache to 20 keys at a time.
  const key = `used:${customer.jti}`;
  if (api.cache.get(key)) {
    return api.access.rejectInvalidSubjectToken("Subject token: used before");
  }
  const kept = api.cache.set(key, "1", { ttl: (MAX_AGE + SKEW) * 1000 });
  if (kept.type === "error") {
    return api.access.deny("temporarily_unavailable", "Too many at once, try again.");
  }

  // Strings in an actor are limited to 64 characters.
  api.authentication.setActor({ sub: agent.user_id, reason: reason.slice(0, 64) });
  // "none": a customer who does not exist is an error, not a new account.
  api.authentication.setUserByConnection(
    CONNECTION,
    { user_id: customer.sub.slice(PREFIX.length) },
    { creationBehavior: "none", updateBehavior: "none" },
  );
};

/** Who may enter whom. Here an administrator writes it in the agent's app_metadata:
 * {"support": {"customers": "all"}}, or a list of user IDs. */
function mayEnter(agent, customerId) {
  const allowed = agent.app_metadata?.support?.customers;
  return allowed === "all" || (Array.isArray(allowed) && allowed.includes(customerId));
}

/** Return the claims of a subject token, or throw one of jose's errors. */
async function verify(token, keys) {
  const { payload } = await jwtVerify(token, keys, {
    algorithms: ["ES256"],
    issuer: ISSUER,
    audience: AUDIENCE,
    requiredClaims: ["sub", "iat", "exp", "jti"],
    maxTokenAge: MAX_AGE,
    clockTolerance: SKEW,
  });
  const { sub, jti } = payload;
  if (typeof sub !== "string" || !sub.startsWith(PREFIX)) {
    throw new errors.JWTInvalid("sub is not a user of the connection");
  }
  if (typeof jti !== "string" || !/^[\w-]{16,48}$/.test(jti)) {
    throw new errors.JWTInvalid("jti is not a unique ID");
  }
  return payload;
}
