package authflow

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"apostille/broker/audit"
	"apostille/broker/chooser"
	"apostille/broker/page"
	"apostille/broker/seal"
	"apostille/broker/session"
	"apostille/broker/store"
	"apostille/trust"
	"apostille/upstream"
)

// How long things last that a login leaves behind on its way.
const (
	loginTTL  = 15 * time.Minute // a login at the office
	pickerTTL = time.Hour        // a picker that lies open
	hopTTL    = 2 * time.Minute  // an answer that was posted, until the browser fetches the hop
	resultTTL = 2 * time.Minute  // a result, until the browser is back where it came from
	backTTL   = 24 * time.Hour   // the cookie that knows where a login that is over began
)

// Registry is what a login needs of the policy; *trust.Registry implements it.
type Registry interface {
	Trust(id string) (*trust.Trust, bool)
	// ByIssuer lists the live trusts of an issuer.
	ByIssuer(issuer string) []*trust.Trust
	// Logins lists the live trusts whose people may sign in to the client, sorted by ID.
	Logins(client string) []*trust.Trust
}

// Sessions are the browsers and their sessions; *session.Manager implements it.
type Sessions interface {
	Browser(w http.ResponseWriter, r *http.Request) (mark []byte)
	SameBrowser(r *http.Request, mark []byte) bool
	SignIn(w http.ResponseWriter, r *http.Request, login upstream.Login) (*session.Session, error)
}

// Chooser ranks offices and shows them; broker/chooser implements it.
type Chooser interface {
	Rank(q chooser.Query) chooser.Ranking
	Write(w http.ResponseWriter, r *http.Request, v chooser.View)
	Fragment(w http.ResponseWriter, r *http.Request, v chooser.View)
}

// Pages shows a person why a login does not go on, the form with which it does, or how it ended.
type Pages interface {
	Send(w http.ResponseWriter, r *http.Request, s Sending)
	Left(w http.ResponseWriter, r *http.Request, l Left)
	Failure(w http.ResponseWriter, r *http.Request, f Failure)
}

// Ender ends what an upstream says is over; broker/store implements it.
type Ender interface {
	EndSessions(ctx context.Context, q store.SessionQuery) ([]store.Session, []store.Family, error)
	ListSessions(ctx context.Context, q store.SessionQuery, limit int) ([]store.Session, error)
	EndFamilies(ctx context.Context, q store.FamilyQuery, why string) ([]store.Family, error)
	ListFamilies(ctx context.Context, q store.FamilyQuery, limit int) ([]store.Family, error)
}

// Replay remembers the IDs of logout tokens; broker/store implements it.
type Replay interface {
	Claim(ctx context.Context, kind, issuer, id string, until time.Time) (first bool, err error)
	Claimed(ctx context.Context, kind, issuer, id string) (bool, error)
}

// Flow is every login. Fields are required unless their comment says otherwise.
type Flow struct {
	Issuer   string // our issuer; callbacks are Issuer + "/login/callback/ID" and "/saml/acs", whatever host a request names (THREATS A114)
	Registry func() Registry
	Provider upstream.Provider
	Logout   upstream.LogoutReceiver    // nil: logout tokens are refused
	Front    upstream.FrontReceiver     // nil: logout by way of browsers is refused
	Metadata upstream.MetadataPublisher // nil: there is none
	Sessions Sessions
	Pending  store.Pendings
	Replay   Replay
	Ender    Ender
	Chooser  func() Chooser
	Pages    Pages
	Box      *seal.Box
	Cookies  session.Cookies
	Remember time.Duration // how long a browser remembers an office
	Audit    audit.Recorder
	Sampled  audit.Recorder // refusals of strangers: a flood must not fill the disk
	Remote   func(*http.Request) string
	// Limit says whether an address may start another login.
	Limit func(ip string) bool
	// Messages bounds how many messages that strangers post are read at once; broker/token has one.
	Messages interface {
		// Enter waits for a place. leave must be called once.
		Enter(ctx context.Context) (leave func(), err error)
	}
	// Ended is told what an upstream's logout token ended; nil = nobody is.
	Ended func(context.Context, []store.Session, []store.Family)
	Now   func() time.Time
	Log   *slog.Logger
}

// Route is one pattern of http.ServeMux below the issuer's path, such as "GET /login/callback/{trust}".
type Route struct {
	Pattern string
	Handler http.Handler
}

// Routes lists what is to be mounted below the issuer's path.
func (f *Flow) Routes() []Route {
	return []Route{
		{"GET /login", f.page(f.picker)},
		{"POST /login", f.page(f.ours(f.choose))},
		{"GET /login/search", f.page(f.search)},
		{"POST /login/forget", f.page(f.ours(f.forget))},
		{"GET /login/callback/{trust}", f.page(f.callback)},
		{"POST /login/callback/{trust}", f.page(f.posted)}, // cross-site by nature: what it may do needs the hop
		{"POST /saml/acs", f.page(f.consume)},              // as well
		{"GET /saml/logout", f.page(f.front)},
		{"POST /saml/logout", f.page(f.front)},
		{"GET /saml/metadata", f.page(f.metadata)},
		{"GET /saml/metadata/{trust}", f.page(f.metadata)},
		{"GET /login/hop", f.page(f.hop)},
		{"POST /login/backchannel/{trust}", http.HandlerFunc(f.backchannel)},
	}
}

// page makes a handler of one that answers or says why not. An answer to a person belongs to them: no cache keeps it.
func (f *Flow) page(h handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		if r.Method == http.MethodHead { // http.ServeMux serves HEAD by GET's handler, which would use a login up
			w.Header().Set("Allow", http.MethodGet)
			w.WriteHeader(http.StatusMethodNotAllowed)
			return
		}
		if err := h(w, r); err != nil {
			f.refuse(w, r, err)
		}
	})
}

// handler answers a request, or returns why not before it has written anything.
type handler func(w http.ResponseWriter, r *http.Request) *refusal

// ours wraps the handlers that only our own pages may call.
func (f *Flow) ours(next handler) handler {
	return func(w http.ResponseWriter, r *http.Request) *refusal {
		if err := page.Ours(r, f.Issuer); err != nil {
			return &refusal{kind: Foreign, reason: trust.ReasonRequest, detail: "a form of another site", cause: err}
		}
		return next(w, r)
	}
}
