// An OAuth client of the broker, on oauth4webapi as it comes. Prints {"answer": …} or {"error": …, "description": …}.
//   node client.mjs '{"issuer": …, "client": …, "auth": "basic" | "post" | "key", "secret": … | "key": JWK,
//                     "grant": …, "parameters": {…}}'
import { importJWK } from 'jose';
import * as oauth from 'oauth4webapi';

const s = JSON.parse(process.argv[2]);
const local = { [oauth.allowInsecureRequests]: true };

async function authentication() {
  switch (s.auth) {
    case 'basic': return oauth.ClientSecretBasic(s.secret);
    case 'post': return oauth.ClientSecretPost(s.secret);
    case 'key': return oauth.PrivateKeyJwt({ key: await importJWK(s.key), kid: s.key.kid });
    default: throw new Error(`auth ${s.auth}`);
  }
}

const issuer = new URL(s.issuer);
const as = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, { ...local, algorithm: 'oauth2' }));
const client = { client_id: s.client };
const response = await oauth.genericTokenEndpointRequest(as, client, await authentication(), s.grant, s.parameters, local);
try {
  console.log(JSON.stringify({ answer: await oauth.processGenericTokenEndpointResponse(as, client, response) }));
} catch (err) {
  if (!(err instanceof oauth.ResponseBodyError)) throw err;
  console.log(JSON.stringify({ error: err.error, description: err.error_description }));
}
