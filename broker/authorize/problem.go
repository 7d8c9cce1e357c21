package authorize

import (
	"net/http"

	"apostille/broker/oauth"
	"apostille/trust"
)

// problem is why a request gets no code. Code and Text are for strangers; Detail and Cause are for the audit trail and the log.
type problem struct {
	Code   string // OAuth error; "" = it is told on a page, and nobody is redirected
	Text   string // printable
	Status int    // of a page
	Reason trust.Reason
	Detail string
	Trust  string
	Cause  error
	Quiet  bool // an answer that prompt=none asked for: no decision, so no record
}

func (p *problem) Error() string { return string(p.Reason) + ": " + p.Detail }
func (p *problem) Unwrap() error { return p.Cause }

// onPage is a fault that is found before client and redirect URI are known to belong together.
func onPage(detail string) *problem {
	return &problem{Status: http.StatusBadRequest, Reason: trust.ReasonRequest, Text: oauth.Printable(detail), Detail: detail}
}

// redirected is a fault of the request that the client is told.
func redirected(code, text string) *problem {
	return &problem{Code: code, Text: oauth.Printable(text), Reason: trust.ReasonRequest, Detail: text}
}

// quiet is what a client hears that asked for no page and would need one.
func quiet(code, text string) *problem {
	return &problem{Code: code, Text: text, Reason: trust.ReasonLoginRequired, Detail: text, Quiet: true}
}

// unavailable is a fault of ours.
func unavailable(detail string, cause error) *problem {
	return &problem{
		Code: oauth.CodeUnavailable, Status: http.StatusServiceUnavailable, Reason: trust.ReasonStore,
		Text: "the server cannot answer at the moment", Detail: detail, Cause: cause,
	}
}

// unrecorded is an audit trail that does not take a record: nothing is issued without one.
func unrecorded(cause error) *problem {
	p := unavailable("the audit record could not be written", cause)
	p.Reason = trust.ReasonAudit
	return p
}

// denials are the reasons that are not spelled access_denied: the client's fault, or ours.
var denials = map[trust.Reason]string{
	trust.ReasonTargetUnknown:     oauth.CodeInvalidTarget, // RFC 8707 §2
	trust.ReasonTargetAmbiguous:   oauth.CodeInvalidTarget,
	trust.ReasonTargetsDisagree:   oauth.CodeInvalidTarget,
	trust.ReasonScopeUnknown:      oauth.CodeInvalidScope, // RFC 6749 §4.1.2.1
	trust.ReasonScopeUnregistered: oauth.CodeInvalidScope,
	trust.ReasonClientUnknown:     oauth.CodeUnauthorizedClient,
	trust.ReasonGrantNotAllowed:   oauth.CodeUnauthorizedClient,
	trust.ReasonClaimsTooOld:      codeLogin, // the office has just signed somebody in with claims of long ago
	trust.ReasonStandingUnknown:   oauth.CodeUnavailable,
	trust.ReasonStore:             oauth.CodeUnavailable,
	trust.ReasonAudit:             oauth.CodeUnavailable,
	trust.ReasonPanic:             oauth.CodeServerError,
}

// refusedBy spells a decision that refuses. The client hears that access is denied, and the reference; why is in the audit trail:
// what a person may not is between them and whoever runs the broker.
func refusedBy(d *trust.Decision) *problem {
	p := &problem{Code: codeAccessDenied, Text: "access is denied", Reason: d.Reason, Detail: d.Detail, Trust: d.Trust}
	if code, ok := denials[d.Reason]; ok {
		p.Code = code
		p.Text = oauth.ErrorFor(trust.GrantCode, d.Reason, nil).Description
	}
	return p
}
