package logout

import (
	"embed"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"time"

	"apostille/broker/audit"
	"apostille/broker/mint"
	"apostille/broker/oauth"
	"apostille/broker/page"
	"apostille/broker/session"
	"apostille/broker/store"
)

// Messages are the texts of this package's pages, for page.Options.
//
//go:embed messages templates
var Messages embed.FS

var (
	confirmTemplate = page.MustTemplate(Messages, "templates/confirm.html")
	doneTemplate    = page.MustTemplate(Messages, "templates/done.html")
)

const (
	confirmPurpose = "logout"
	confirmTTL     = 30 * time.Minute
	maxForm        = 32 << 10 // bytes
)

// waiting is a request that waits for a person's word. It is bound to the session it was asked in.
type waiting struct {
	request
	Session string    `json:"i"`
	Since   time.Time `json:"t"`
}

// confirmView is the dot of the question.
type confirmView struct {
	Action, Sealed, Application string
	Offices                     []string
}

// ask shows the question.
func (e *Endpoint) ask(w http.ResponseWriter, r *http.Request, q request, s *session.Session) {
	plain, err := json.Marshal(waiting{request: q, Session: s.ID, Since: e.Now()})
	if err != nil {
		e.unavailable(w, r, "writing a request", err)
		return
	}
	e.Pages.Write(w, r, page.Page{
		Template: confirmTemplate, Title: "logout.confirm.title", Locales: q.Locales, Narrow: true, FormAction: origins(q.Return),
		Data: confirmView{
			Action: e.Base + ConfirmPath, Sealed: e.Box.Seal(confirmPurpose, plain), Application: e.clientName(q.Client), Offices: e.offices(s.Session),
		},
	})
}

// Confirm answers the question's form.
func (e *Endpoint) Confirm() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		if err := page.Ours(r, e.Registry().Issuer()); err != nil {
			e.refuse(w, r, http.StatusForbidden, "logout.error.request")
			return
		}
		form, bad := oauth.ReadForm(w, r, maxForm)
		if bad != nil {
			e.refuse(w, r, http.StatusBadRequest, "logout.error.request")
			return
		}
		e.confirmed(w, r, form)
	})
}

// confirmed does what the person said.
func (e *Endpoint) confirmed(w http.ResponseWriter, r *http.Request, form oauth.Params) {
	in, err := e.unseal(form.Get("r"))
	if err != nil {
		e.refuse(w, r, http.StatusBadRequest, "logout.error.expired")
		return
	}
	s, err := e.Sessions.Current(r)
	if err != nil {
		e.unavailable(w, r, "reading a session", err)
		return
	}
	switch {
	case s == nil: // it ended meanwhile: what was asked for is so
		e.out(w, r, in.request, nil)
	case s.ID != in.Session: // a form of somebody else's session (THREATS A108)
		e.refuse(w, r, http.StatusBadRequest, "logout.error.expired")
	case form.Get("decision") != "leave":
		e.Pages.Write(w, r, page.Page{Template: doneTemplate, Title: "logout.stay.title", Locales: in.Locales, Narrow: true,
			Data: doneView{Title: "logout.stay.title", Lead: "logout.stay.text", Back: page.Href(in.back()), Application: e.clientName(in.Client)}})
	default:
		e.end(w, r, in.request, s)
	}
}

func (e *Endpoint) unseal(text string) (in waiting, err error) {
	plain, err := e.Box.Open(confirmPurpose, text)
	if err == nil {
		err = json.Unmarshal(plain, &in)
	}
	if err == nil && e.Now().Sub(in.Since) > confirmTTL {
		err = errors.New("logout: the form is too old")
	}
	return in, err
}

// end ends the session, then says so to whom it concerns.
func (e *Endpoint) end(w http.ResponseWriter, r *http.Request, q request, s *session.Session) {
	hints := map[string]string{} // by trust; read before the session is gone
	for _, i := range s.Identities {
		if known, ok := s.Identity(i.Trust); ok {
			hints[i.Trust] = known.IDToken
		}
	}
	ended, err := e.Sessions.End(w, r)
	if err != nil {
		e.unavailable(w, r, "ending a session", err)
		return
	}
	if ended == nil {
		ended = &session.Ended{}
	}
	e.record(r, q, ended.Sessions)
	at := e.Now().Truncate(time.Microsecond) // as stores keep times
	queued, err := e.Tell.Ended(r.Context(), ended.Sessions, ended.Families)
	if err != nil { // they are signed out here all the same
		e.Log.Error("logout tokens could not be queued", "error", err)
		for i := range queued {
			queued[i].Failed = at
		}
	}
	e.out(w, r, q, &outcome{Ended: *ended, At: at, Told: queued, Hints: hints})
}

// record writes who was signed out to the audit trail. A logout that cannot be recorded is still one.
func (e *Endpoint) record(r *http.Request, q request, ended []store.Session) {
	for _, s := range ended {
		for _, i := range s.Identities {
			ev := audit.Event{Time: e.Now().UTC(), ID: mint.NewID(), Event: audit.EventSessionEnded, Client: q.Client, Trust: i.Trust, Subject: i.Sub, Remote: e.Remote(r)}
			if err := e.Audit.Record(r.Context(), &ev); err != nil {
				e.Log.Error("audit record of a logout", "id", ev.ID, "error", err)
			}
		}
	}
}

func (e *Endpoint) clientName(id string) string {
	if c, ok := e.Registry().Client(id); ok {
		return c.Title()
	}
	return ""
}

// offices names those that somebody is signed in with.
func (e *Endpoint) offices(s store.Session) (names []string) {
	for _, i := range s.Identities {
		name := i.Trust
		if t, ok := e.Registry().Trust(i.Trust); ok {
			name = t.Title()
		}
		names = append(names, name)
	}
	return names
}

// origins lists where a form may lead besides here: browsers hold redirects against it.
func origins(links ...string) (list []string) {
	for _, link := range links {
		u, err := url.Parse(link)
		switch {
		case link == "" || err != nil:
		case u.Host == "":
			list = append(list, u.Scheme+":")
		default:
			list = append(list, u.Scheme+"://"+u.Host)
		}
	}
	return list
}
