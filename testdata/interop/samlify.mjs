// A SAML home office on npm's samlify: answers one signed AuthnRequest, which came by redirect. Prints {"response": base64}.
//   node samlify.mjs '{"entity": …, "sso": …, "key": PEM, "certificate": PEM, "sp": metadata, "url": where the browser was sent,
//                      "name": NameID, "attributes": {NAME: value}, "acs": …, "sign": "assertion" | "message", "encrypt": true}'
import { randomUUID } from 'node:crypto';
import samlify from 'samlify';

const s = JSON.parse(process.argv[2]);
samlify.setSchemaValidator({ validate: async () => 'whoever reads the answer checks it' });

const names = Object.keys(s.attributes);
const format = 'urn:oasis:names:tc:SAML:2.0:attrname-format:uri';
const idp = samlify.IdentityProvider({
  entityID: s.entity, privateKey: s.key, signingCert: s.certificate, isAssertionEncrypted: s.encrypt,
  requestSignatureAlgorithm: 'http://www.w3.org/2001/04/xmldsig-more#rsa-sha256',
  dataEncryptionAlgorithm: 'http://www.w3.org/2009/xmlenc11#aes256-gcm', keyEncryptionAlgorithm: 'http://www.w3.org/2001/04/xmlenc#rsa-oaep-mgf1p',
  wantAuthnRequestsSigned: true, wantLogoutRequestSigned: true,
  singleSignOnService: [{ Binding: samlify.Constants.namespace.binding.redirect, Location: s.sso }],
  nameIDFormat: [samlify.Constants.namespace.format.persistent],
  loginResponseTemplate: {
    context: template(),
    attributes: names.map((name, i) => ({ name, valueTag: `v${i}`, nameFormat: format, valueXsiType: 'xs:string' })),
  },
});
const sp = samlify.ServiceProvider({ metadata: s.sp, wantMessageSigned: s.sign === 'message', ...(s.encrypt && { isAssertionEncrypted: true }) });

// samlify's own template leaves a place for the AuthnStatement.
function template() {
  return samlify.SamlLib.defaultLoginResponseTemplate.context.replace(
    '{AuthnStatement}',
    '<saml:AuthnStatement AuthnInstant="{IssueInstant}" SessionIndex="_s1"><saml:AuthnContext>'
      + '<saml:AuthnContextClassRef>urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport</saml:AuthnContextClassRef>'
      + '</saml:AuthnContext></saml:AuthnStatement>',
  );
}

const url = new URL(s.url);
const octetString = url.search.slice(1).split('&').filter((p) => !p.startsWith('Signature=')).join('&'); // what is signed, as it came
const request = await idp.parseLoginRequest(sp, 'redirect', { query: Object.fromEntries(url.searchParams), octetString });

const id = () => `_${randomUUID()}`;
const now = Date.now();
const at = (ms) => new Date(now + ms).toISOString();
const { context } = await idp.createLoginResponse(sp, request, 'post', {}, {
  encryptThenSign: s.encrypt,
  customTagReplacement: (text) => {
    const values = {
      ID: id(), AssertionID: id(), Issuer: s.entity, Destination: s.acs, AssertionConsumerServiceURL: s.acs, Audience: sp.entityMeta.getEntityID(), SubjectRecipient: s.acs,
      NameIDFormat: samlify.Constants.namespace.format.persistent, NameID: s.name, InResponseTo: request.extract.request.id, StatusCode: samlify.Constants.StatusCode.Success,
      IssueInstant: at(0), ConditionsNotBefore: at(0), ConditionsNotOnOrAfter: at(300_000), SubjectConfirmationDataNotOnOrAfter: at(300_000),
      ...Object.fromEntries(names.map((n, i) => [`attrV${i}`, s.attributes[n]])),
    };
    return { id: values.ID, context: samlify.SamlLib.replaceTagsByValue(text, values) };
  },
});
console.log(JSON.stringify({ response: context }));
