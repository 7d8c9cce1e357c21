// A regional API that verifies a token with what its authors already have. Prints {"claims": …, "header": …}, or
// {"refused": …}.
//   node api.mjs '{"with": "jose" | "oauth4webapi", "issuer": …, "audience": …, "token": …}'
import { createRemoteJWKSet, jwtVerify } from 'jose';
import * as oauth from 'oauth4webapi';

const s = JSON.parse(process.argv[2]);
const local = { [oauth.allowInsecureRequests]: true };
const issuer = new URL(s.issuer);
const as = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, { ...local, algorithm: 'oauth2' }));

async function withJose() {
  const keys = createRemoteJWKSet(new URL(as.jwks_uri));
  const { payload, protectedHeader } = await jwtVerify(s.token, keys, { issuer: s.issuer, audience: s.audience, typ: 'at+jwt' });
  return { claims: payload, header: protectedHeader };
}

async function withOauth4webapi() {
  const request = new Request(s.audience, { headers: { authorization: `Bearer ${s.token}` } });
  return { claims: await oauth.validateJwtAccessToken(as, request, s.audience, local) };
}

try {
  console.log(JSON.stringify(await { jose: withJose, oauth4webapi: withOauth4webapi }[s.with]()));
} catch (err) {
  console.log(JSON.stringify({ refused: err.code ?? err.message }));
}
