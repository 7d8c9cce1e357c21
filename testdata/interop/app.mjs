// An application that signs people in at the broker, on npm's openid-client, with discovery only. Prints JSON.
//   node app.mjs start '{"issuer": …, "client": …, "secret": …, "redirect": …, "scope": …, "par": true}'    where to send the browser
//   node app.mjs finish '{…, "callback": …, "verifier": …, "state": …, "nonce": …}'    what came of it: claims, userinfo, refresh,
//                                                                                     introspection before and after revocation
import * as client from 'openid-client';

const [what, settings] = process.argv.slice(2);
const s = JSON.parse(settings);
const local = { execute: [client.allowInsecureRequests] }; // everything is on loopback
const config = await client.discovery(new URL(s.issuer), s.client, s.secret, undefined, local);

async function start() {
  const verifier = client.randomPKCECodeVerifier();
  const state = client.randomState();
  const nonce = client.randomNonce();
  const params = {
    redirect_uri: s.redirect, scope: s.scope, state, nonce,
    code_challenge: await client.calculatePKCECodeChallenge(verifier), code_challenge_method: 'S256',
  };
  const url = s.par ? await client.buildAuthorizationUrlWithPAR(config, params) : client.buildAuthorizationUrl(config, params);
  return { url: url.href, verifier, state, nonce };
}

async function finish() {
  const tokens = await client.authorizationCodeGrant(config, new URL(s.callback), {
    pkceCodeVerifier: s.verifier, expectedState: s.state, expectedNonce: s.nonce, idTokenExpected: true,
  });
  const claims = tokens.claims();
  const userinfo = await client.fetchUserInfo(config, tokens.access_token, claims.sub);
  const refreshed = await client.refreshTokenGrant(config, tokens.refresh_token);
  const before = await client.tokenIntrospection(config, refreshed.access_token);
  await client.tokenRevocation(config, refreshed.refresh_token);
  const after = await client.tokenIntrospection(config, refreshed.access_token);
  let again = 'accepted';
  await client.refreshTokenGrant(config, refreshed.refresh_token).catch((e) => { again = e.error; });
  return { claims, userinfo, refreshed: refreshed.claims()?.sub, before, after, again };
}

console.log(JSON.stringify(await { start, finish }[what]()));
