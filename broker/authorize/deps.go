package authorize

import (
	"context"
	"net/http"
	"time"

	"apostille/broker/authflow"
	"apostille/broker/clientauth"
	"apostille/broker/family"
	"apostille/broker/page"
	"apostille/broker/session"
	"apostille/trust"
)

// Registry is the policy; *trust.Registry implements it.
type Registry interface {
	Issuer() string
	Client(id string) (*trust.Client, bool)
	API(id string) (*trust.API, bool)
	Logins(client string) []*trust.Trust
	Evaluate(q trust.Request, st trust.Standing) trust.Decision
}

// Policy is one generation of the configuration. A request is judged by one.
type Policy struct {
	Registry    Registry
	Credentials map[string]clientauth.Credential // of clients that push requests
}

// Sessions knows who is signed in; *session.Manager implements it.
type Sessions interface {
	Current(r *http.Request) (*session.Session, error)
	Browser(w http.ResponseWriter, r *http.Request) (mark []byte)
	SameBrowser(r *http.Request, mark []byte) bool
}

// Logins signs people in; *authflow.Flow implements it.
type Logins interface {
	// Begin answers: it sends the browser to an upstream or to the picker.
	Begin(w http.ResponseWriter, r *http.Request, q authflow.Request)
	// Result takes what came of a login that began with this Return in this browser. It is there once.
	Result(r *http.Request, handle, ret string) (authflow.Result, bool, error)
}

// Standings loads what Evaluate needs to know of a subject besides its credential. It MUST refuse (zero value) what it cannot know.
type Standings interface {
	Standing(ctx context.Context, subject trust.Subject, client string) trust.Standing
}

// Codes issues authorization codes; *family.Families implements it.
type Codes interface {
	IssueCode(ctx context.Context, s family.SignIn) (code string, err error)
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

// Observer counts what happened; broker/metrics implements it. outcome is "code", "login", "consent", "pushed", "denied" (by the
// person) or a trust.Reason.
type Observer interface {
	Authorize(outcome string, took time.Duration)
	Ignored() // a parameter that nobody here knows
}
