package samlidp

import (
	"slices"
	"strings"
	"time"

	"apostille/trust"
	"apostille/trust/xmlsec"
)

// maxAge is how long an AuthnRequest is good for: it is sent when a person wants to sign in. Within it one may come as often as it likes.
const maxAge = 10 * time.Minute

// NameID formats (SAML Core 2.0 §8.3).
const (
	formatPersistent  = "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent"
	formatTransient   = "urn:oasis:names:tc:SAML:2.0:nameid-format:transient"
	formatEmail       = "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress"
	formatUnspecified = "urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified"
)

var formats = map[string]string{"persistent": formatPersistent, "transient": formatTransient, "emailAddress": formatEmail}

// authnRequest is what an AuthnRequest asks (SAML Core 2.0 §3.4.1).
type authnRequest struct {
	ID, destination, version    string
	url, index, binding         string // where the answer is to go, as asked
	format, qualifier           string // of NameIDPolicy
	Force, Passive, unsupported bool
	Classes                     []string // any of them will do; none = any at all
	comparison                  string
	issued                      time.Time
}

// order is that of the schema; what is not named there is refused.
var order = []xmlsec.Name{
	saml("Issuer"), signatureName, samlp("Extensions"), saml("Subject"), samlp("NameIDPolicy"), saml("Conditions"), samlp("RequestedAuthnContext"), samlp("Scoping"),
}

// readRequest reads a verified AuthnRequest. Extensions and Scoping are wishes that may be passed over; Subject and Conditions are not.
func readRequest(root *xmlsec.Element) (*authnRequest, *problem) {
	if !root.Is(samlp("AuthnRequest")) || !root.Spaced() {
		return nil, unreadable("not an AuthnRequest", nil)
	}
	q := &authnRequest{issued: instant(root, "IssueInstant")}
	wrong := false
	for name, value := range root.Attrs() {
		if name.Space != "" || len(value) > maxText {
			return nil, unreadable("an attribute of AuthnRequest that does not belong there", nil)
		}
		switch name.Local {
		case "ID":
			q.ID = value
		case "Version":
			q.version = value
		case "Destination":
			q.destination = value
		case "AssertionConsumerServiceURL":
			q.url = value
		case "AssertionConsumerServiceIndex":
			q.index = value
		case "ProtocolBinding":
			q.binding = value
		case "ForceAuthn":
			q.Force, wrong = truth(value, wrong)
		case "IsPassive":
			q.Passive, wrong = truth(value, wrong)
		case "IssueInstant", "Consent", "ProviderName", "AttributeConsumingServiceIndex":
		default:
			return nil, unreadable("an attribute of AuthnRequest that does not belong there", nil)
		}
	}
	if q.ID == "" || q.version != "2.0" || q.issued.IsZero() || wrong {
		return nil, unreadable("ID, Version, IssueInstant or a truth value of the AuthnRequest", nil)
	}
	return q, q.children(root)
}

func (q *authnRequest) children(root *xmlsec.Element) *problem {
	next := 0
	for c := range root.Children() {
		at := slices.IndexFunc(order[next:], c.Is)
		if at < 0 {
			return unreadable("an element of AuthnRequest that does not belong there, or is out of order", nil)
		}
		next += at + 1
		switch c.Name().Local {
		case "Subject", "Conditions":
			q.unsupported = true
		case "NameIDPolicy":
			q.format, _ = c.Attr("Format")
			q.qualifier, _ = c.Attr("SPNameQualifier")
		case "RequestedAuthnContext":
			if p := q.context(c); p != nil {
				return p
			}
		}
	}
	return nil
}

func (q *authnRequest) context(e *xmlsec.Element) *problem {
	q.comparison, _ = e.Attr("Comparison")
	for c := range e.Children() {
		class, ok := c.Text()
		if !ok || !c.Is(saml("AuthnContextClassRef")) || len(q.Classes) == maxClasses || len(class) > maxText {
			return unreadable("RequestedAuthnContext does not list up to 16 AuthnContextClassRef", nil)
		}
		q.Classes = append(q.Classes, strings.TrimSpace(class))
	}
	return nil
}

const maxClasses = 16

// truth reads an xs:boolean.
func truth(value string, wrong bool) (yes, stillWrong bool) {
	return value == "true" || value == "1", wrong || value != "true" && value != "1" && value != "false" && value != "0"
}

// place finds where the answer goes: registered, byte for byte, or nowhere (THREATS A42, A109).
func (q *authnRequest) place(s *trust.SAMLSpec, app App) (string, *problem) {
	to := q.url
	switch {
	case q.url != "" && q.index != "":
		return "", unreadable("AssertionConsumerServiceURL beside AssertionConsumerServiceIndex", nil) // SAML Core 2.0 §3.4.1
	case q.index != "":
		to = app.Indexed[q.index]
	case q.url == "" && len(s.ACS) > 0:
		to = s.ACS[0]
	}
	if to == "" || !s.AnswersAt(to) {
		return "", &problem{Reason: trust.ReasonRedirect, Detail: "the place that the answer is wanted at is not registered"}
	}
	return to, nil
}

// fresh says whether it is for this endpoint and of now.
func (q *authnRequest) fresh(here string, signed bool, now time.Time) *problem {
	switch {
	case q.destination != here && (signed || q.destination != ""): // SAML Bindings 2.0 §3.4.5.2, §3.5.5.2 (THREATS A36)
		return &problem{Reason: trust.ReasonRecipient, Detail: "the AuthnRequest is for another Destination"}
	case q.issued.After(now.Add(trust.Skew)):
		return &problem{Reason: trust.ReasonNotYetValid, Detail: "the AuthnRequest is of the future"}
	case now.Sub(q.issued) > maxAge+trust.Skew:
		return &problem{Reason: trust.ReasonTooOld, Detail: "the AuthnRequest is of long ago"}
	}
	return nil
}

// answerable says whether what it asks can be had; the application hears it if not. format is that of the NameID it gets.
func (q *authnRequest) answerable(s *trust.SAMLSpec, app App) (format string, p *problem) {
	format = formats[app.NameIDFormat]
	switch q.format {
	case "", formatUnspecified, format:
	case formatPersistent, formatTransient: // neither says more of a person than the other
		format = q.format
	default:
		return "", told(statusRequester, statusNameIDPolicy, "a NameID format that the application does not get")
	}
	switch {
	case q.unsupported:
		return "", told(statusRequester, statusUnsupported, "an AuthnRequest with Subject or Conditions")
	case q.binding != "" && q.binding != bindingPost:
		return "", told(statusRequester, statusBinding, "an answer is wanted by another binding than POST")
	case q.qualifier != "" && q.qualifier != s.EntityID:
		return "", told(statusRequester, statusNameIDPolicy, "a NameID of another application is wanted")
	case q.comparison != "" && q.comparison != "exact" && len(q.Classes) > 0:
		return "", told(statusResponder, statusNoContext, "classes have no order here")
	}
	return format, nil
}

const bindingPost = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST"
