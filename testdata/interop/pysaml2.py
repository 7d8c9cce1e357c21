#!/usr/bin/python3
"""A SAML home office on Debian's pysaml2: answers one signed AuthnRequest, which came by redirect. Prints {"response": base64}.

pysaml2.py SETTINGS, a file of JSON: {"entity", "sso", "key": file, "certificate": file, "sp": file of metadata, "url": where the browser was
sent, "name": NameID, "attributes": {short name: [value]}, "sign": "assertion" | "message"}
"""

import base64
import json
import logging
import sys
from urllib.parse import parse_qs, urlsplit

from saml2 import BINDING_HTTP_POST, BINDING_HTTP_REDIRECT
from saml2.config import IdPConfig
from saml2.saml import NAME_FORMAT_URI, NAMEID_FORMAT_PERSISTENT, NameID
from saml2.server import Server
from saml2.sigver import verify_redirect_signature
from saml2.xmldsig import DIGEST_SHA256, SIG_RSA_SHA256

logging.disable(logging.CRITICAL)
with open(sys.argv[1], encoding="utf-8") as f:
    s = json.load(f)
office = Server(config=IdPConfig().load({
    "entityid": s["entity"], "key_file": s["key"], "cert_file": s["certificate"], "xmlsec_binary": "/usr/bin/xmlsec1",
    "metadata": {"local": [s["sp"]]},
    "service": {"idp": {
        "endpoints": {"single_sign_on_service": [(s["sso"], BINDING_HTTP_REDIRECT)]},
        "policy": {"default": {"lifetime": {"minutes": 5}, "name_form": NAME_FORMAT_URI, "attribute_restrictions": None}},
        "signing_algorithm": SIG_RSA_SHA256, "digest_algorithm": DIGEST_SHA256,
    }},
}))
query = {name: values[0] for name, values in parse_qs(urlsplit(s["url"]).query).items()}
request = office.parse_authn_request(query["SAMLRequest"], BINDING_HTTP_REDIRECT)
certificates = [c[1] if isinstance(c, tuple) else c for c in office.metadata.certs(request.message.issuer.text, "spsso", "signing")]
if not any(verify_redirect_signature(query, office.sec.sec_backend, c) for c in certificates):  # the redirect binding is left to its users
    sys.exit("the signature of the request does not hold")
to = office.response_args(request.message, [BINDING_HTTP_POST])
answer = office.create_authn_response(
    s["attributes"], name_id=NameID(format=NAMEID_FORMAT_PERSISTENT, text=s["name"]), userid=s["name"],
    authn={"class_ref": "urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport", "authn_auth": s["entity"]},
    sign_assertion=s["sign"] == "assertion", sign_response=s["sign"] == "message", sign_alg=SIG_RSA_SHA256, digest_alg=DIGEST_SHA256,
    in_response_to=to["in_response_to"], destination=to["destination"], sp_entity_id=to["sp_entity_id"])
print(json.dumps({"response": base64.b64encode(str(answer).encode()).decode()}))
