package authorize

import (
	"errors"
	"net/http"

	"apostille/broker/audit"
	"apostille/broker/oauth"
	"apostille/broker/page"
	"apostille/trust"
)

// asProblem turns any error into a problem. What is not one is our own fault.
func asProblem(err error) *problem {
	var p *problem
	if errors.As(err, &p) {
		return p
	}
	return fault("unexpected error", err)
}

func fault(detail string, cause error) *problem {
	return &problem{
		Code: oauth.CodeServerError, Status: http.StatusInternalServerError, Reason: trust.ReasonPanic,
		Text: "the request could not be handled", Detail: detail, Cause: cause,
	}
}

// denied is a person's own no.
func denied(detail string) *problem {
	return &problem{Code: codeAccessDenied, Text: "the person did not allow it", Reason: trust.ReasonConsent, Detail: detail, Quiet: true}
}

// refuse records a refusal and tells it: to the client if it is known where that is, else to the person.
func (e *Endpoint) refuse(w http.ResponseWriter, r *http.Request, c *call, p *problem) {
	e.record(r, c, p)
	e.observe(c, string(p.Reason))
	if c.request != nil && p.Code != "" {
		e.send(w, r, c, c.request.failure(p, c.policy.Registry.Issuer(), c.event.ID))
		return
	}
	if p.Status == 0 {
		p.Status = http.StatusBadRequest
	}
	e.Pages.Error(w, r, page.ErrorPage{
		Status: p.Status, Title: "authorize.error.title", Text: pageText(p), TextArgs: []any{p.Text}, Reference: c.event.ID,
	})
}

// pageText chooses what a person is told who comes here with a request that cannot be answered.
func pageText(p *problem) string {
	switch {
	case p.Status >= http.StatusInternalServerError:
		return "authorize.error.server"
	case p.Reason == trust.ReasonClientUnknown:
		return "authorize.error.client"
	case p.Reason == trust.ReasonRedirect:
		return "authorize.error.redirect"
	case p.Reason == trust.ReasonLoginState:
		return "authorize.error.expired"
	}
	return "authorize.error.request"
}

// record writes a refusal into the audit trail, and our own faults into the log. A refusal is answered even if it cannot be recorded.
func (e *Endpoint) record(r *http.Request, c *call, p *problem) {
	if p.Quiet {
		return
	}
	ev := c.event
	ev.Event, ev.Reason, ev.Detail = audit.EventLoginRefused, string(p.Reason), p.Detail
	if ev.Trust == "" {
		ev.Trust = p.Trust
	}
	var recorder audit.Recorder = e.Sampled
	if c.known {
		recorder = e.Audit
	}
	if p.Reason != trust.ReasonAudit { // it has just refused to record; waiting for it again would double the wait
		if err := recorder.Record(r.Context(), &ev); err != nil {
			e.Log.Error("audit record of a refusal", "id", ev.ID, "error", err)
		}
	}
	if class := p.Reason.Class(); class == trust.ClassInternal || class == trust.ClassUnavailable {
		e.Log.Error("authorization request failed", "id", ev.ID, "reason", ev.Reason, "detail", p.Detail, "error", p.Cause)
	}
}

// send takes an answer to the client: with the browser's next GET, or in a form that it posts.
func (e *Endpoint) send(w http.ResponseWriter, r *http.Request, c *call, answer []page.Field) {
	q := c.request
	if !q.FormPost {
		seeOther(w, q.location(answer))
		return
	}
	e.Pages.Write(w, r, page.Page{
		Template: page.PostTemplate, Title: "authorize.post.title", TitleArgs: []any{q.client.Title()}, Locales: q.Locales, Narrow: true,
		Data:       page.Post{Title: "authorize.post.title", Text: "authorize.post.text", To: q.client.Title(), Action: q.Redirect, Fields: answer},
		FormAction: []string{q.origin()},
	})
}

// seeOther makes the browser go on with GET, whatever it came with (RFC 9700 §4.12). There is no body: http.Redirect would write the
// address, and with it a code, into one.
func seeOther(w http.ResponseWriter, location string) {
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Location", location)
	h.Set("Content-Length", "0")
	w.WriteHeader(http.StatusSeeOther)
}
