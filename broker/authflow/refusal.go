package authflow

import (
	"net/http"

	"apostille/broker/audit"
	"apostille/broker/mint"
	"apostille/trust"
)

// refusal is why a login does not go on, with what helps the person further.
type refusal struct {
	kind   Kind
	reason trust.Reason
	detail string // for the admin; never a token, code or secret
	cause  error
	known  bool // the browser proved that it began the login: no stranger any more

	client, clientName string
	trust              string // office; "" = none yet
	retry, picker      string // sealed requests: once more with this office, choose another
	again, cancel      string // URLs: from the beginning, back to the application
	locales            []string
}

// from adds to a refusal what the request it belongs to offers as a way on. office is "" if none was chosen.
func (f *Flow) from(x *refusal, q Request, office string) *refusal {
	x.client, x.clientName, x.trust, x.cancel, x.locales = q.Client, q.ClientName, office, q.Cancel, q.Locales
	if sealed, err := f.seal(q); err == nil && office != "" && x.kind != Gone {
		x.retry = sealed
	}
	if len(f.offices(&q)) > 1 || office == "" {
		q.Select = true
		if sealed, err := f.seal(q); err == nil {
			x.picker = sealed
		}
	}
	return x
}

// refuse records a refusal, and shows it.
func (f *Flow) refuse(w http.ResponseWriter, r *http.Request, x *refusal) {
	reference := f.record(r, x)
	out := Failure{Kind: x.kind, Status: x.kind.status(), Reference: reference, Application: x.clientName, Again: x.again, Cancel: x.cancel,
		Locales: x.locales}
	if t, ok := f.Registry().Trust(x.trust); ok && x.trust != "" {
		out.Office = t.Spec.Name
	}
	if x.retry != "" {
		out.Retry = &Retry{Action: f.base() + "/login", Sealed: x.retry, Trust: x.trust}
	}
	if x.picker != "" {
		out.Picker = f.pickerURL(x.picker)
	}
	if x.kind == Busy {
		w.Header().Set("Retry-After", "10")
	}
	f.Pages.Failure(w, r, out)
}

// record writes a refusal to the audit trail and, if it is ours or the upstream's, to the log. It returns the reference.
func (f *Flow) record(r *http.Request, x *refusal) string {
	e := f.event(r)
	e.Event, e.Client, e.Trust, e.Reason, e.Detail = audit.EventLoginRefused, x.client, x.trust, string(x.reason), x.detail
	if t, ok := f.Registry().Trust(x.trust); ok && x.trust != "" {
		e.Issuer = t.Spec.Issuer
	}
	recorder := f.Sampled
	if x.known {
		recorder = f.Audit
	}
	if x.reason == trust.ReasonAudit {
		recorder = f.Sampled // the other has just failed, and would take as long again
	}
	if err := recorder.Record(r.Context(), &e); err != nil {
		f.Log.Error("audit record of a refused login", "id", e.ID, "error", err)
	}
	if x.kind == Unavailable || x.known {
		f.Log.Warn("a login was refused", "id", e.ID, "trust", x.trust, "reason", e.Reason, "detail", x.detail, "cause", x.cause)
	}
	return e.ID
}

// event is what every record of a request has.
func (f *Flow) event(r *http.Request) audit.Event {
	return audit.Event{Time: f.Now().UTC(), ID: mint.NewID(), Remote: f.Remote(r)}
}
