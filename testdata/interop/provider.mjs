// A home office: npm's oidc-provider, with a sign-in page of two lines. Settings come from the environment:
//   HOST, PORT  loopback address and port; the issuer is http://HOST:PORT, HOST 127.0.0.1 if it is not given
//   CERT, KEY   PEM files; the issuer is then https://HOST:PORT
//   NAME        what it is called; "the head office" if it is not given
//   KEYS        file with the signing keys; made when it is missing
//   ROTATE=1    make a new signing key first; the old one is no longer published
//   CALLBACK    where the app takes answers; http://127.0.0.1/callback if it is not given
//   TELL        where the app takes logout tokens; not told if it is not given
//   PAR=0       takes no pushed requests
//   APP         client id of the app that signs people in; SERVICE of the service that asks for itself; SECRET of both
// Prints "listening ISSUER" when it serves.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import { exportJWK, generateKeyPair } from 'jose';
import { Provider } from 'oidc-provider';

const {
  HOST = '127.0.0.1', PORT, CERT, KEY, NAME = 'the head office', KEYS, ROTATE, APP, SERVICE, SECRET, CALLBACK = 'http://127.0.0.1/callback', TELL, PAR = '1',
} = process.env;
const issuer = `${CERT ? 'https' : 'http'}://${HOST}:${PORT}`;

async function signingKeys() {
  if (ROTATE === '1' || !existsSync(KEYS)) {
    const { privateKey } = await generateKeyPair('RS256', { extractable: true });
    const key = { ...(await exportJWK(privateKey)), use: 'sig', alg: 'RS256', kid: `hq-${Date.now()}` };
    writeFileSync(KEYS, JSON.stringify({ keys: [key] }), { mode: 0o600 });
  }
  return JSON.parse(readFileSync(KEYS, 'utf8'));
}

const provider = new Provider(issuer, {
  jwks: await signingKeys(),
  cookies: { keys: ['interop'] },
  clients: [
    {
      client_id: APP, client_secret: SECRET, redirect_uris: [CALLBACK], require_auth_time: true,
      ...(TELL && { backchannel_logout_uri: TELL, backchannel_logout_session_required: true }),
    },
    { client_id: SERVICE, client_secret: SECRET, grant_types: ['client_credentials'], response_types: [], redirect_uris: [] },
  ],
  findAccount: (ctx, id) => ({ accountId: id, claims: () => ({ sub: id, name: `${id} of ${NAME}`, email: `${id}@hq.example`, email_verified: true }) }),
  claims: { openid: ['sub'], profile: ['name'], email: ['email', 'email_verified'] },
  // Whoever signs in has consented: the page asks for a name only.
  loadExistingGrant: async (ctx) => {
    const grant = new provider.Grant({ accountId: ctx.oidc.session.accountId, clientId: ctx.oidc.client.clientId });
    grant.addOIDCScope('openid profile email');
    await grant.save();
    return grant;
  },
  // Its own fetch refuses loopback, where every party of the tests is.
  fetch: (url, { dispatcher, ...options }) => fetch(url, options),
  features: {
    devInteractions: { enabled: false },
    backchannelLogout: { enabled: true },
    pushedAuthorizationRequests: { enabled: PAR === '1' },
    clientCredentials: { enabled: true },
    resourceIndicators: {
      enabled: true,
      getResourceServerInfo: (ctx, resource) => ({
        scope: 'inventory:read', audience: resource, accessTokenFormat: 'jwt', jwt: { sign: { alg: 'RS256' } },
      }),
    },
  },
});

for (const event of ['server_error', 'authorization.error', 'pushed_authorization_request.error', 'grant.error', 'backchannel.error']) {
  provider.on(event, (ctx, err) => console.error(event, err.message, err.error_description ?? '', err.cause ?? ''));
}

// GET shows the form, POST with login=NAME signs that person in, and with an empty name cancels; there are no passwords here.
async function signIn(req, res) {
  if (req.method !== 'POST') {
    res.setHeader('content-type', 'text/html');
    res.end(`<!doctype html><html lang="en"><title>Sign in at ${NAME}</title><h1>${NAME}</h1>`
      + '<form method="post"><input id="login" name="login" aria-label="Name" autofocus><button id="enter">Sign in</button></form>'
      + '<form method="post"><input type="hidden" name="login"><button id="cancel">Cancel</button></form>');
    return;
  }
  let body = '';
  for await (const chunk of req) body += chunk;
  const accountId = new URLSearchParams(body).get('login');
  await provider.interactionFinished(req, res, accountId ? { login: { accountId } } : { error: 'access_denied' });
}

const oidc = provider.callback();
const listener = (req, res) => {
  if (!req.url.startsWith('/interaction/')) return oidc(req, res);
  return signIn(req, res).catch((err) => {
    res.statusCode = 500;
    res.end(String(err));
  });
};
const server = CERT ? https.createServer({ cert: readFileSync(CERT), key: readFileSync(KEY) }, listener) : http.createServer(listener);
server.listen(Number(PORT), HOST, () => console.log('listening', issuer));
