// @auth0/nextjs-auth0 without Next.js around it: its middleware takes requests as they are.
import { Auth0Client } from "@auth0/nextjs-auth0/server";
import { NextRequest, NextResponse } from "next/server.js";
import { serve, settings } from "./peer.mjs";

serve(async (app, origin) => {
  const auth0 = new Auth0Client({
    domain: settings.domain,
    clientId: settings.client_id,
    clientSecret: settings.client_secret,
    appBaseUrl: origin,
    secret: "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
    authorizationParameters: { scope: "openid profile email offline_access" },
    pushedAuthorizationRequests: settings.push === true,
  });
  const asked = (request) => new NextRequest(new URL(request.url, origin), {
    method: "GET",
    headers: Object.entries(request.headers).filter(([, value]) => typeof value === "string"),
  });
  const answer = async (found, response) => {
    for (const [name, value] of found.headers) response.append(name, value);
    response.status(found.status).send(await found.text());
  };
  app.get("/auth/:path", async (request, response) => {
    await answer(await auth0.middleware(asked(request)), response);
  });
  app.post("/enter", async (request, response) => {
    const { subject_token: subjectToken, subject_token_type: subjectTokenType, target, organization, reason } = request.body;
    const options = { subjectToken, subjectTokenType, organization, reason };
    const result = await auth0.requestSessionTransferToken(asked(request), new NextResponse(), options);
    await answer(auth0.buildSessionTransferRedirect(target, result, { organization }), response);
  });
});
