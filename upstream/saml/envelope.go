package saml

import (
	"errors"
	"time"

	"apostille/trust"
	"apostille/trust/xmlsec"
)

const (
	spaceProtocol = "urn:oasis:names:tc:SAML:2.0:protocol"
	statusPrefix  = "urn:oasis:names:tc:SAML:2.0:status:"
	statusSuccess = statusPrefix + "Success"
)

func samlp(local string) xmlsec.Name { return xmlsec.Name{Space: spaceProtocol, Local: local} }

var signatureName = xmlsec.Name{Space: spaceDSig, Local: "Signature"}

// envelope is what a Response says around its assertion (SAML Core 2.0 §3.2.2, §3.3.3).
type envelope struct {
	issuer, destination, inResponseTo string
	issued                            time.Time
	signed                            bool
	status, substatus                 string

	assertion *xmlsec.Element // or EncryptedAssertion; nil = none
	encrypted bool
	came      *xmlsec.Element // the same in the document as it came, where its own signature is to be verified
}

func readEnvelope(e *xmlsec.Element) (env *envelope, err error) {
	if v, _ := e.Attr("Version"); v != "2.0" {
		return nil, errors.New("the Version is not 2.0")
	}
	env = &envelope{}
	env.destination, _ = e.Attr("Destination")
	env.inResponseTo, _ = e.Attr("InResponseTo")
	if env.issued, err = instant(e, "IssueInstant"); err != nil {
		return nil, err
	}
	return env, structure(e, "ID Version IssueInstant Destination InResponseTo Consent",
		one("Issuer", func(e *xmlsec.Element) (err error) { env.issuer, err = readIssuer(e); return err }),
		part{names: []xmlsec.Name{signatureName}, most: 1, read: func(*xmlsec.Element) error { env.signed = true; return nil }},
		part{names: []xmlsec.Name{samlp("Status")}, min: 1, most: 1, read: env.readStatus},
		part{names: []xmlsec.Name{saml("Assertion"), saml("EncryptedAssertion")}, most: 1, read: func(e *xmlsec.Element) error {
			env.assertion, env.encrypted = e, e.Is(saml("EncryptedAssertion"))
			return nil
		}})
}

func (env *envelope) readStatus(e *xmlsec.Element) error {
	skip := func(*xmlsec.Element) error { return nil }
	return structure(e, "",
		part{names: []xmlsec.Name{samlp("StatusCode")}, min: 1, most: 1, read: func(e *xmlsec.Element) error {
			env.status, _ = e.Attr("Value")
			return structure(e, "Value", part{names: []xmlsec.Name{samlp("StatusCode")}, most: 1, read: func(e *xmlsec.Element) error {
				env.substatus, _ = e.Attr("Value")
				return nil
			}})
		}},
		part{names: []xmlsec.Name{samlp("StatusMessage")}, most: 1, read: skip}, part{names: []xmlsec.Name{samlp("StatusDetail")}, most: 1, read: skip})
}

// statusFault says why the office signed nobody in.
func (env *envelope) statusFault() *fault {
	switch {
	case env.status != statusSuccess:
		return &fault{trust.ReasonUpstreamError, checkStatus, quote("the office answers ", env.status+" "+env.substatus), statusError{env.status, env.substatus}}
	case env.substatus != "":
		return faulty(trust.ReasonUpstreamError, checkStatus, quote("the office answers Success, and ", env.substatus))
	case env.assertion == nil:
		return faulty(trust.ReasonMalformed, checkStatus, "the office answers Success, without an assertion")
	}
	return nil
}

// statusError is a status that is not Success.
type statusError [2]string

func (e statusError) Error() string { return quote("status ", e[0]+" "+e[1]) }

// statusCodes says what a second status is in the words of OAuth, which people's pages know.
var statusCodes = map[string]string{
	statusPrefix + "AuthnFailed": "access_denied", statusPrefix + "RequestDenied": "access_denied",
	statusPrefix + "UnknownPrincipal": "access_denied", statusPrefix + "NoPassive": "login_required",
}

// code is that word; "" if there is none.
func (e statusError) code() string {
	if code := statusCodes[e[1]]; code != "" {
		return code
	}
	return statusCodes[e[0]]
}

// parseResponse reads a document that is one Response with one assertion at most, whose signatures stand where they belong. What it returns is not
// verified.
func parseResponse(b []byte) (*xmlsec.Element, *fault) {
	root, err := xmlsec.Parse(b)
	if err != nil {
		return nil, xmlFault(checkFormat, err)
	}
	if !root.Is(samlp("Response")) {
		return nil, faulty(trust.ReasonType, checkFormat, quote("not a SAML 2.0 Response, but ", root.Name().Local))
	}
	assertions, signatures := count(root)
	placed := 0
	if signedAfterIssuer(root) {
		placed++
	}
	for c := range root.Children() {
		if c.Is(saml("Assertion")) && signedAfterIssuer(c) {
			placed++
		}
	}
	switch {
	case assertions > 1:
		return nil, faulty(trust.ReasonMalformed, checkFormat, "more than one assertion in the document")
	case signatures != placed:
		return nil, faulty(trust.ReasonMalformed, checkFormat, "a signature that does not stand after the Issuer of Response or assertion")
	}
	return root, nil
}
