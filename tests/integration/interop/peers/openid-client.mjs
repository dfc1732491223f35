// openid-client, which knows nothing of Auth0: discovery, code flow with PKCE, a grant.
import * as client from "openid-client";
import { issuer, passedOn, serve, settings } from "./peer.mjs";

const TOKEN_EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange";
const ID_TOKEN = "urn:ietf:params:oauth:token-type:id_token";

serve(async (app, origin) => {
  const secret = settings.basic ? client.ClientSecretBasic(settings.client_secret) : settings.client_secret;
  const config = await client.discovery(new URL(issuer), settings.client_id, undefined, settings.basic ? secret : client.ClientSecretPost(secret));
  const redirect_uri = `${origin}/callback`;
  let expected = {};
  let tokens;
  app.get("/login", async (request, response) => {
    expected = {
      pkceCodeVerifier: client.randomPKCECodeVerifier(),
      expectedState: client.randomState(),
      expectedNonce: client.randomNonce(),
    };
    const parameters = {
      redirect_uri,
      scope: "openid profile email",
      code_challenge: await client.calculatePKCECodeChallenge(expected.pkceCodeVerifier),
      code_challenge_method: "S256",
      state: expected.expectedState,
      nonce: expected.expectedNonce,
      ...passedOn(request.query),
    };
    if (settings.max_age !== undefined) {
      parameters.max_age = String(settings.max_age);
      expected.maxAge = settings.max_age;
    }
    const url = settings.push
      ? await client.buildAuthorizationUrlWithPAR(config, parameters)
      : client.buildAuthorizationUrl(config, parameters);
    response.redirect(url.href);
  });
  app.get("/callback", async (request, response) => {
    tokens = await client.authorizationCodeGrant(config, new URL(request.url, origin), expected);
    response.redirect("/me");
  });
  app.get("/me", async (request, response) => {
    const claims = tokens?.claims();
    const userinfo = claims && (await client.fetchUserInfo(config, tokens.access_token, claims.sub));
    response.json(claims ? { ...userinfo, ...claims } : null);
  });
  app.post("/enter", async (request, response) => {
    const { target, organization, ...parameters } = request.body;
    const answer = await client.genericGrantRequest(config, TOKEN_EXCHANGE, {
      audience: `urn:${settings.domain}:session_transfer`,
      actor_token: tokens.id_token,
      actor_token_type: ID_TOKEN,
      ...parameters,
    });
    const url = new URL(target);
    url.searchParams.set("session_transfer_token", answer.access_token);
    response.redirect(303, url.href);
  });
});
