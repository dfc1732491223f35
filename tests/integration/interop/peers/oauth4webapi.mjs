// oauth4webapi, the strict one below openid-client.
import * as oauth from "oauth4webapi";
import { issuer, passedOn, serve, settings } from "./peer.mjs";

const TOKEN_EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange";
const ID_TOKEN = "urn:ietf:params:oauth:token-type:id_token";

serve(async (app, origin) => {
  const url = new URL(issuer);
  const as = await oauth.processDiscoveryResponse(url, await oauth.discoveryRequest(url));
  const client = { client_id: settings.client_id };
  const auth = oauth.ClientSecretBasic(settings.client_secret);
  const redirect_uri = `${origin}/callback`;
  let verifier, state, nonce, tokens;
  app.get("/login", async (request, response) => {
    verifier = oauth.generateRandomCodeVerifier();
    state = oauth.generateRandomState();
    nonce = oauth.generateRandomNonce();
    const target = new URL(as.authorization_endpoint);
    target.search = new URLSearchParams({
      client_id: client.client_id,
      redirect_uri,
      response_type: "code",
      scope: "openid profile email",
      code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
      code_challenge_method: "S256",
      state,
      nonce,
      ...passedOn(request.query),
    }).toString();
    response.redirect(target.href);
  });
  app.get("/callback", async (request, response) => {
    const parameters = oauth.validateAuthResponse(as, client, new URL(request.url, origin), state);
    const answer = await oauth.authorizationCodeGrantRequest(as, client, auth, parameters, redirect_uri, verifier);
    tokens = await oauth.processAuthorizationCodeResponse(as, client, answer, { expectedNonce: nonce, requireIdToken: true });
    response.redirect("/me");
  });
  app.get("/me", (request, response) => {
    response.json(tokens ? oauth.getValidatedIdTokenClaims(tokens) : null);
  });
  app.post("/enter", async (request, response) => {
    const { target, ...fields } = request.body;
    const parameters = new URLSearchParams({
      audience: `urn:${settings.domain}:session_transfer`,
      actor_token: tokens.id_token,
      actor_token_type: ID_TOKEN,
      ...fields,
    });
    const answer = await oauth.genericTokenEndpointRequest(as, client, auth, TOKEN_EXCHANGE, parameters);
    // "N_A" is not a token type that it knows: a caller has to say so.
    const recognizedTokenTypes = { n_a: () => {} };
    const result = await oauth.processGenericTokenEndpointResponse(as, client, answer, { recognizedTokenTypes });
    const url = new URL(target);
    url.searchParams.set("session_transfer_token", result.access_token);
    response.redirect(303, url.href);
  });
});
