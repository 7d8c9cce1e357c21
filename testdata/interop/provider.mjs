// The head office: npm's oidc-provider, with a sign-in page of two lines. Settings come from the environment:
//   PORT      loopback port; the issuer is http://127.0.0.1:PORT
//   KEYS      file with the signing keys; made when it is missing
//   ROTATE=1  make a new signing key first; the old one is no longer published
//   CALLBACK  where the app takes answers; http://127.0.0.1/callback if it is not given
//   APP       client id of the app that signs people in; SERVICE of the service that asks for itself; SECRET of both
// Prints "listening ISSUER" when it serves.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import { exportJWK, generateKeyPair } from 'jose';
import { Provider } from 'oidc-provider';

const { PORT, KEYS, ROTATE, APP, SERVICE, SECRET, CALLBACK = 'http://127.0.0.1/callback' } = process.env;
const issuer = `http://127.0.0.1:${PORT}`;

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
    { client_id: APP, client_secret: SECRET, redirect_uris: [CALLBACK] },
    { client_id: SERVICE, client_secret: SECRET, grant_types: ['client_credentials'], response_types: [], redirect_uris: [] },
  ],
  findAccount: (ctx, id) => ({ accountId: id, claims: () => ({ sub: id, name: `${id} of the head office`, email: `${id}@hq.example`, email_verified: true }) }),
  claims: { openid: ['sub'], profile: ['name'], email: ['email', 'email_verified'] },
  // Whoever signs in has consented: the page asks for a name only.
  loadExistingGrant: async (ctx) => {
    const grant = new provider.Grant({ accountId: ctx.oidc.session.accountId, clientId: ctx.oidc.client.clientId });
    grant.addOIDCScope('openid profile email');
    await grant.save();
    return grant;
  },
  features: {
    devInteractions: { enabled: false },
    clientCredentials: { enabled: true },
    resourceIndicators: {
      enabled: true,
      getResourceServerInfo: (ctx, resource) => ({
        scope: 'inventory:read', audience: resource, accessTokenFormat: 'jwt', jwt: { sign: { alg: 'RS256' } },
      }),
    },
  },
});

// GET shows the form, POST with login=NAME signs that person in; there are no passwords here.
async function signIn(req, res) {
  if (req.method !== 'POST') {
    res.setHeader('content-type', 'text/html');
    res.end('<!doctype html><title>Head office (test)</title><form method="post"><input name="login"><button>Sign in</button></form>');
    return;
  }
  let body = '';
  for await (const chunk of req) body += chunk;
  await provider.interactionFinished(req, res, { login: { accountId: new URLSearchParams(body).get('login') } });
}

const oidc = provider.callback();
http
  .createServer((req, res) => {
    if (!req.url.startsWith('/interaction/')) return oidc(req, res);
    return signIn(req, res).catch((err) => {
      res.statusCode = 500;
      res.end(String(err));
    });
  })
  .listen(Number(PORT), '127.0.0.1', () => console.log('listening', issuer));
