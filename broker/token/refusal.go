package token

import (
	"context"
	"net/http"

	"apostille/broker/audit"
	"apostille/broker/oauth"
	"apostille/exchange"
	"apostille/trust"
)

// refuse records a refusal and spells it for the client. A refusal is answered even if it cannot be recorded.
func (e *Endpoint) refuse(ctx context.Context, c *call, r *exchange.Refusal) *oauth.Error {
	ev := c.event
	ev.Event, ev.Reason, ev.Detail = audit.EventRefused, string(r.Reason), r.Detail
	if ev.Trust == "" {
		ev.Trust = r.Trust
	}
	recorder := e.Sampled
	if c.known && r.Reason != trust.ReasonRateLimited { // what a limit stops must not fill the disk, whoever sends it
		recorder = e.Audit
	}
	if r.Reason == trust.ReasonAudit {
		recorder = unrecorded{} // it has just refused to record; waiting for it again would double the wait
	}
	if err := recorder.Record(ctx, &ev); err != nil {
		e.Log.Error("audit record of a refusal", "id", ev.ID, "error", err)
	}
	e.Observer.Token(ev.Grant, string(r.Reason), e.Now().Sub(c.started))
	out := oauth.ErrorFor(trust.Grant(ev.Grant), r.Reason, r)
	if r.Public != "" {
		out.Description = oauth.Printable(r.Public)
	}
	if r.Code != "" {
		out.Code = r.Code
	}
	if out.Status == http.StatusUnauthorized { // RFC 9110 §15.5.2: a 401 carries a challenge
		out.Challenge = `Basic realm="` + oauth.Printable(c.policy.Registry.Issuer()) + `"`
	}
	if out.Status >= http.StatusInternalServerError && !c.flooding(r.Reason) {
		e.Log.Error("token request failed", "id", ev.ID, "reason", ev.Reason, "error", out)
	}
	return out
}

// flooding says of a refusal that any stranger can cause as fast as the network carries it: the audit trail has samples of it, and
// the log, which nobody samples, must not have it line by line.
func (c *call) flooding(reason trust.Reason) bool {
	return !c.known && (reason == trust.ReasonOverloaded || reason == trust.ReasonKeysUnavailable)
}

// unrecorded takes what cannot be recorded; the log has it.
type unrecorded struct{}

func (unrecorded) Record(context.Context, *audit.Event) error { return nil }
