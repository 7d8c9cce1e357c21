package account

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"apostille/broker/audit"
	"apostille/broker/mint"
	"apostille/broker/oauth"
	"apostille/broker/page"
	"apostille/broker/session"
	"apostille/broker/store"
	"apostille/trust"
)

// Paths below the issuer's.
const (
	Path     = "/account"      // GET
	EndPath  = "/account/end"  // POST: session = an ID, or all = 1
	AppsPath = "/account/apps" // POST: sub, client
)

const (
	maxForm = 8 << 10 // bytes
	maxList = 100     // of each kind on the page
)

// Registry is the policy; *trust.Registry implements it.
type Registry interface {
	Issuer() string
	Client(id string) (*trust.Client, bool)
	Trust(id string) (*trust.Trust, bool)
	API(id string) (*trust.API, bool)
	ByAudience(aud string) (*trust.API, bool)
}

// Sessions knows who is signed in; *session.Manager implements it.
type Sessions interface {
	Current(r *http.Request) (*session.Session, error)
}

// Store is what is shown and ended; broker/store implements it.
type Store interface {
	ListSessions(ctx context.Context, q store.SessionQuery, limit int) ([]store.Session, error)
	EndSessions(ctx context.Context, q store.SessionQuery) ([]store.Session, []store.Family, error)
	ListFamilies(ctx context.Context, q store.FamilyQuery, limit int) ([]store.Family, error)
	EndFamilies(ctx context.Context, q store.FamilyQuery, why string) ([]store.Family, error)
	ListConsents(ctx context.Context, sub string) ([]store.Consent, error)
	WithdrawConsent(ctx context.Context, sub, client string) ([]store.Family, error)
}

// Pages shows pages; *page.Renderer implements it.
type Pages interface {
	Write(w http.ResponseWriter, r *http.Request, p page.Page)
	Error(w http.ResponseWriter, r *http.Request, p page.ErrorPage)
}

// Endpoint is "my sessions", in three handlers: itself at Path, End and Apps. Every field is required.
type Endpoint struct {
	Registry func() Registry
	Base     string // the issuer's path, without trailing slash
	Sessions Sessions
	Store    Store
	Recent   *Recent
	Pages    Pages
	Ended    func(context.Context, []store.Session, []store.Family) // is told what ended
	Audit    audit.Recorder
	Remote   func(*http.Request) string
	Now      func() time.Time
	Log      *slog.Logger
}

// ServeHTTP shows the page.
func (e *Endpoint) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	s, ok := e.who(w, r)
	if !ok {
		return
	}
	v, err := e.view(r.Context(), s)
	if err != nil {
		e.unavailable(w, r, err)
		return
	}
	e.Pages.Write(w, r, page.Page{Template: accountTemplate, Title: "account.title", Languages: true, Data: v})
}

// who finds the session; without one there is nothing to show, and no sign-in to offer: people sign in to applications.
func (e *Endpoint) who(w http.ResponseWriter, r *http.Request) (*session.Session, bool) {
	s, err := e.Sessions.Current(r)
	switch {
	case err != nil:
		e.unavailable(w, r, err)
	case s == nil || len(s.Identities) == 0:
		e.Pages.Error(w, r, page.ErrorPage{Status: http.StatusUnauthorized, Title: "account.nobody.title", Text: "account.nobody.text", Calm: true})
	default:
		return s, true
	}
	return nil, false
}

func (e *Endpoint) unavailable(w http.ResponseWriter, r *http.Request, err error) {
	e.Log.Error("account page", "error", err)
	e.Pages.Error(w, r, page.ErrorPage{Status: http.StatusServiceUnavailable, Text: "account.error.server"})
}

// form reads a form of our own page, from somebody who is signed in.
func (e *Endpoint) form(w http.ResponseWriter, r *http.Request) (*session.Session, oauth.Params, bool) {
	w.Header().Set("Cache-Control", "no-store")
	if err := page.Ours(r, e.Registry().Issuer()); err != nil {
		e.Pages.Error(w, r, page.ErrorPage{Status: http.StatusForbidden, Text: "account.error.request", BackURL: e.Base + Path})
		return nil, oauth.Params{}, false
	}
	p, bad := oauth.ReadForm(w, r, maxForm)
	if bad != nil {
		e.Pages.Error(w, r, page.ErrorPage{Text: "account.error.request", BackURL: e.Base + Path})
		return nil, oauth.Params{}, false
	}
	s, ok := e.who(w, r)
	return s, p, ok
}

// End ends one session, or all of the people who are signed in here.
func (e *Endpoint) End() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s, form, ok := e.form(w, r)
		if !ok {
			return
		}
		if err := e.end(r, s, form.Get("session"), form.Get("all") != ""); err != nil {
			e.unavailable(w, r, err)
			return
		}
		e.again(w, r)
	})
}

// end ends what is theirs: in another browser only the identities of people who are signed in here, since somebody else may share it.
func (e *Endpoint) end(r *http.Request, s *session.Session, id string, all bool) error {
	if id == s.ID { // the whole of this browser
		return e.over(r, store.SessionQuery{ID: id})
	}
	for _, i := range s.Identities {
		q := store.SessionQuery{ID: id, Trust: i.Trust, Sub: i.Sub}
		if id == "" && !all {
			return nil
		}
		if err := e.over(r, q); err != nil {
			return err
		}
	}
	return nil
}

func (e *Endpoint) over(r *http.Request, q store.SessionQuery) error {
	sessions, families, err := e.Store.EndSessions(r.Context(), q)
	if err != nil {
		return err
	}
	for _, s := range sessions {
		for _, i := range s.Identities {
			if q.Sub == "" || q.Sub == i.Sub {
				e.record(r, audit.EventSessionEnded, i.Trust, i.Sub, "")
			}
		}
	}
	e.Ended(r.Context(), sessions, families)
	return nil
}

// Apps withdraws an application's access: its consent and all its families, at once.
func (e *Endpoint) Apps() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s, form, ok := e.form(w, r)
		if !ok {
			return
		}
		sub, client := form.Get("sub"), form.Get("client")
		for _, i := range s.Identities {
			if i.Sub != sub || client == "" {
				continue
			}
			if err := e.withdraw(r, i, client); err != nil {
				e.unavailable(w, r, err)
				return
			}
		}
		e.again(w, r)
	})
}

func (e *Endpoint) withdraw(r *http.Request, i store.Identity, client string) error {
	families, err := e.Store.WithdrawConsent(r.Context(), i.Sub, client)
	if err != nil {
		return err
	}
	more, err := e.Store.EndFamilies(r.Context(), store.FamilyQuery{Sub: i.Sub, Client: client}, "consent")
	if err != nil {
		return err
	}
	e.record(r, audit.EventConsentWithdrawn, i.Trust, i.Sub, client)
	e.Ended(r.Context(), nil, append(families, more...))
	return nil
}

func (e *Endpoint) again(w http.ResponseWriter, r *http.Request) {
	http.Redirect(w, r, e.Base+Path, http.StatusSeeOther)
}

func (e *Endpoint) record(r *http.Request, event, trustID, sub, client string) {
	ev := audit.Event{Time: e.Now().UTC(), ID: mint.NewID(), Event: event, Trust: trustID, Subject: sub, Client: client, Remote: e.Remote(r)}
	if err := e.Audit.Record(r.Context(), &ev); err != nil {
		e.Log.Error("audit record of the account page", "id", ev.ID, "error", err)
	}
}
