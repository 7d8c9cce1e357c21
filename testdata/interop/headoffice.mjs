// Gets real tokens from the head office and prints its token answer as JSON.
//   node headoffice.mjs signin '{"issuer": …, "client": …, "secret": …, "login": "alice"}'       code flow with PKCE: an ID token
//   node headoffice.mjs service '{"issuer": …, "client": …, "secret": …, "resource": …, "scope": …}'   a JWT access token
import * as oauth from 'oauth4webapi';

const [what, settings] = process.argv.slice(2);
const s = JSON.parse(settings);
const local = { [oauth.allowInsecureRequests]: true }; // everything is on loopback

const issuer = new URL(s.issuer);
const as = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, local));
const client = { client_id: s.client };
const auth = oauth.ClientSecretBasic(s.secret);

// Follows redirects within the head office like a browser with cookies, answers its form, and stops at the app's own URL.
async function browse(url, login) {
  const jar = new Map();
  let request = { method: 'GET' };
  for (let hops = 0; hops < 20; hops++) {
    const cookie = [...jar].map((pair) => pair.join('=')).join('; ');
    const response = await fetch(url, { ...request, redirect: 'manual', headers: { ...request.headers, cookie } });
    for (const line of response.headers.getSetCookie()) {
      const [name, ...value] = line.split(';')[0].split('=');
      jar.set(name, value.join('='));
    }
    const location = response.headers.get('location');
    if (location) {
      url = new URL(location, url);
      if (url.origin !== issuer.origin) return url;
      request = { method: 'GET' };
    } else if (response.ok && request.method === 'GET') {
      const headers = { 'content-type': 'application/x-www-form-urlencoded' };
      request = { method: 'POST', headers, body: new URLSearchParams({ login }).toString() };
    } else {
      throw new Error(`${url.pathname}: status ${response.status}: ${await response.text()}`);
    }
  }
  throw new Error('too many redirects');
}

async function signIn() {
  const verifier = oauth.generateRandomCodeVerifier();
  const state = oauth.generateRandomState();
  const nonce = oauth.generateRandomNonce();
  const redirect = 'http://127.0.0.1/callback';
  const start = new URL(as.authorization_endpoint);
  start.search = new URLSearchParams({
    client_id: s.client, response_type: 'code', redirect_uri: redirect, scope: 'openid', state, nonce,
    code_challenge: await oauth.calculatePKCECodeChallenge(verifier), code_challenge_method: 'S256',
  });
  const params = oauth.validateAuthResponse(as, client, await browse(start, s.login), state);
  const response = await oauth.authorizationCodeGrantRequest(as, client, auth, params, redirect, verifier, local);
  return oauth.processAuthorizationCodeResponse(as, client, response, { expectedNonce: nonce, requireIdToken: true });
}

async function service() {
  const response = await oauth.clientCredentialsGrantRequest(as, client, auth, { resource: s.resource, scope: s.scope }, local);
  return oauth.processClientCredentialsResponse(as, client, response);
}

console.log(JSON.stringify(await { signin: signIn, service }[what]()));
