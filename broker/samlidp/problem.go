package samlidp

import (
	"net/http"

	"apostille/trust"
)

// Status codes (SAML Core 2.0 §3.2.2.2): the first is the top one.
const (
	statusSpace     = "urn:oasis:names:tc:SAML:2.0:status:"
	statusSuccess   = "Success"
	statusRequester = "Requester"
	statusResponder = "Responder"

	statusNoPassive    = "NoPassive"
	statusNoContext    = "NoAuthnContext"
	statusFailed       = "AuthnFailed"
	statusDenied       = "RequestDenied"
	statusUnsupported  = "RequestUnsupported"
	statusBinding      = "UnsupportedBinding"
	statusNameIDPolicy = "InvalidNameIDPolicy"
	statusUnknown      = "UnknownPrincipal"
)

// problem is why an application gets no assertion. Detail and Cause are for the audit trail and the log, never for strangers.
type problem struct {
	Top, Second string // Status; Top "" = it is told on a page, and nobody is sent anywhere
	Status      int    // of a page; 0 = 400
	Reason      trust.Reason
	Detail      string
	Trust       string
	Cause       error
	Quiet       bool // an answer that was asked for, or a person's own no: no decision, so no record
}

func (p *problem) Error() string { return string(p.Reason) + ": " + p.Detail }
func (p *problem) Unwrap() error { return p.Cause }

func unreadable(detail string, cause error) *problem {
	return &problem{Reason: trust.ReasonMalformed, Detail: detail, Cause: cause}
}

func forged(detail string, cause error) *problem {
	return &problem{Status: http.StatusForbidden, Reason: trust.ReasonSignature, Detail: detail, Cause: cause}
}

// told is a fault that the application hears.
func told(top, second, detail string) *problem {
	return &problem{Top: top, Second: second, Reason: trust.ReasonRequest, Detail: detail}
}

// quiet is what an application hears that asked for no page and would need one, or whose person gave up.
func quiet(second, detail string) *problem {
	return &problem{Top: statusResponder, Second: second, Reason: trust.ReasonLoginRequired, Detail: detail, Quiet: true}
}

// unavailable is a fault of ours.
func unavailable(reason trust.Reason, detail string, cause error) *problem {
	return &problem{Top: statusResponder, Status: http.StatusServiceUnavailable, Reason: reason, Detail: detail, Cause: cause}
}
