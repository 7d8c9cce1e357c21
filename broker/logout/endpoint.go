package logout

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"apostille/broker/audit"
	"apostille/broker/mint"
	"apostille/broker/page"
	"apostille/broker/session"
	"apostille/broker/store"
	"apostille/trust"
)

// Paths below the issuer's.
const (
	Path        = "/oauth2/end_session" // GET and POST
	ConfirmPath = "/logout"             // POST, from our own page
	ReportPath  = "/logout/report"      // GET, from our own page
)

// Registry is the policy; *trust.Registry implements it.
type Registry interface {
	Issuer() string
	Client(id string) (*trust.Client, bool)
	Trust(id string) (*trust.Trust, bool)
}

// Sessions knows who is signed in; *session.Manager implements it.
type Sessions interface {
	Current(r *http.Request) (*session.Session, error)
	End(w http.ResponseWriter, r *http.Request) (*session.Ended, error)
}

// Offices knows where people sign out at their office; *oidc.RelyingParty implements it.
type Offices interface {
	LogoutURL(ctx context.Context, t *trust.Trust, idTokenHint, returnTo, state string) (string, error)
}

// SAMLApps asks applications that speak SAML to sign out; *samlidp.Endpoint implements it.
type SAMLApps interface {
	// LogoutURL is what the browser opens for it; "" = the application is not one, or cannot be asked.
	LogoutURL(f store.Family) string
}

// Pages shows pages; *page.Renderer implements it.
type Pages interface {
	Write(w http.ResponseWriter, r *http.Request, p page.Page)
	Error(w http.ResponseWriter, r *http.Request, p page.ErrorPage)
}

// Box seals what a form carries; *seal.Box implements it.
type Box interface {
	Seal(purpose string, plain []byte) string
	Open(purpose, text string) ([]byte, error)
}

// Endpoint answers logout requests: itself at Path, Confirm at ConfirmPath, Report at ReportPath. Every field is required unless its comment
// says otherwise.
type Endpoint struct {
	Registry func() Registry
	Base     string // the issuer's path, without trailing slash
	Sessions Sessions
	Keys     mint.Published
	Offices  Offices
	SAML     SAMLApps // nil: no application speaks it
	Box      Box
	Pages    Pages
	Tell     *Deliveries
	Audit    audit.Recorder
	Remote   func(*http.Request) string
	Now      func() time.Time
	Log      *slog.Logger
}

// ServeHTTP answers a logout request. A request by itself never signs anybody out: an image on any page can send one (THREATS A118).
func (e *Endpoint) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	var raw string
	switch r.Method {
	case http.MethodGet:
		raw = r.URL.RawQuery
	case http.MethodPost: // RP-Initiated Logout §2 wants it; a cross-site form brings no cookie, so it comes again with GET
		e.again(w, r)
		return
	default:
		w.Header().Set("Allow", "GET, POST")
		e.refuse(w, r, http.StatusMethodNotAllowed, "logout.error.request")
		return
	}
	q, bad := e.read(r.Context(), raw)
	if bad != "" {
		e.refuse(w, r, http.StatusBadRequest, bad)
		return
	}
	s, err := e.Sessions.Current(r)
	if err != nil {
		e.unavailable(w, r, "reading a session", err)
		return
	}
	if s == nil || len(s.Identities) == 0 {
		e.out(w, r, q, nil)
		return
	}
	e.ask(w, r, q, s)
}

// refuse shows a page; it never redirects.
func (e *Endpoint) refuse(w http.ResponseWriter, r *http.Request, status int, text string) {
	e.Pages.Error(w, r, page.ErrorPage{Status: status, Title: "logout.error.title", Text: text})
}

func (e *Endpoint) unavailable(w http.ResponseWriter, r *http.Request, doing string, err error) {
	e.Log.Error("logout", "doing", doing, "error", err)
	e.refuse(w, r, http.StatusServiceUnavailable, "logout.error.server")
}
