// express-openid-connect as its documentation has it, or with the code flow: settings.flow.
import openid from "express-openid-connect";
import { issuer, passedOn, serve, settings } from "./peer.mjs";

const { auth } = openid;

serve(async (app, origin) => {
  const code = { response_type: "code", scope: "openid profile email offline_access" };
  app.use(auth({
    authRequired: false,
    baseURL: origin,
    issuerBaseURL: issuer,
    clientID: settings.client_id,
    clientSecret: settings.client_secret,
    secret: "of the peer, long enough for its cookies",
    routes: { login: false },
    pushedAuthorizationRequests: settings.push === true,
    ...(settings.flow === "code" ? { authorizationParams: code } : {}),
  }));
  app.get("/login", (request, response) => {
    response.oidc.login({ authorizationParams: passedOn(request.query), returnTo: "/me" });
  });
  app.get("/me", (request, response) => response.json(request.oidc.user ?? null));
  app.post("/enter", async (request, response) => {
    const { subject_token, subject_token_type, target, organization, ...extra } = request.body;
    const result = await request.oidc.requestSessionTransferToken({ subject_token, subject_token_type, organization, extra });
    response.redirect(303, request.oidc.buildSessionTransferRedirect(target, result, { organization }));
  });
});
