// @auth0/auth0-server-js, with its stores in memory: there is one visitor.
import { ServerClient } from "@auth0/auth0-server-js";
import { issuer, passedOn, serve, settings } from "./peer.mjs";

class Store {
  kept = new Map();
  async set(name, value) { this.kept.set(name, value); }
  async get(name) { return this.kept.get(name); }
  async delete(name) { this.kept.delete(name); }
  async deleteByLogoutToken() {}
}

serve(async (app, origin) => {
  const client = new ServerClient({
    domain: settings.domain,
    clientId: settings.client_id,
    clientSecret: settings.client_secret,
    authorizationParams: { redirect_uri: `${origin}/callback` },
    stateStore: new Store(),
    transactionStore: new Store(),
  });
  app.get("/login", async (request, response) => {
    const pushedAuthorizationRequests = settings.push === true;
    const authorizationParams = passedOn(request.query);
    const url = await client.startInteractiveLogin({ authorizationParams, pushedAuthorizationRequests });
    response.redirect(url.href);
  });
  app.get("/callback", async (request, response) => {
    await client.completeInteractiveLogin(new URL(request.url, origin));
    response.redirect("/me");
  });
  app.get("/me", async (request, response) => {
    response.json((await client.getUser()) ?? null);
  });
  app.post("/enter", async (request, response) => {
    const { subject_token: subjectToken, subject_token_type: subjectTokenType, target, organization, ...extra } = request.body;
    const result = await client.requestSessionTransferToken({ subjectToken, subjectTokenType, organization, extra });
    response.redirect(303, client.buildSessionTransferRedirect(target, result, { organization }).href);
  });
});
