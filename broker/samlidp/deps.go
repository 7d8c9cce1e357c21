package samlidp

import (
	"context"
	"crypto"
	"crypto/rsa"
	"log/slog"
	"net/http"
	"time"

	"apostille/broker/audit"
	"apostille/broker/authflow"
	"apostille/broker/family"
	"apostille/broker/page"
	"apostille/broker/session"
	"apostille/trust"
)

// Paths below the issuer's.
const (
	MetadataPath = "/saml/idp/metadata" // GET; the address is our entityID towards applications
	SSOPath      = "/saml/idp/sso"      // GET and POST: single sign-on service
	ResumePath   = "/saml/idp/resume"   // GET: where a request goes on, with the browser's cookies
	LogoutPath   = "/saml/idp/logout"   // GET and POST: single logout service
	LeavePath    = "/saml/idp/leave"    // GET: where a logout goes on
)

// App is how an application is talked to: its `saml` table without what policy knows of it.
type App struct {
	Indexed        map[string]string  // AssertionConsumerServiceIndex → its URL
	LogoutURL      string             // its single logout service, by redirect; "" = none
	Signers        []crypto.PublicKey // its messages are verified with
	Recipient      *rsa.PublicKey     // assertions are encrypted to; nil = nobody
	SignedRequests bool               // refuse others
	Encrypt        bool
	NameIDFormat   string // "persistent", "transient" or "emailAddress"
}

// OwnKey is a signing key of ours and its certificate, DER.
type OwnKey struct {
	Key         crypto.Signer
	Certificate []byte
}

// Registry is the policy; *trust.Registry implements it.
type Registry interface {
	Client(id string) (*trust.Client, bool)
	ByEntity(entityID string) (*trust.Client, bool)
	Logins(client string) []*trust.Trust
	Evaluate(q trust.Request, st trust.Standing) trust.Decision
}

// Sessions knows who is signed in; *session.Manager implements it.
type Sessions interface {
	Current(r *http.Request) (*session.Session, error)
}

// Logins signs people in; *authflow.Flow implements it.
type Logins interface {
	Begin(w http.ResponseWriter, r *http.Request, q authflow.Request)
	Result(r *http.Request, handle, ret string) (authflow.Result, bool, error)
}

// Standings loads what Evaluate needs to know of a subject besides its credential. It MUST refuse (zero value) what it cannot know.
type Standings interface {
	Standing(ctx context.Context, subject trust.Subject, client string) trust.Standing
}

// Families remembers which applications a session signed people in to, so that its end can be told; *family.Families implements it.
type Families interface {
	Attend(ctx context.Context, s family.SignIn) error
}

// Leaver ends the browser's session and says so to whom it concerns; *logout.Endpoint implements it. back is where the person goes then.
type Leaver interface {
	Leave(w http.ResponseWriter, r *http.Request, client, back string)
}

// Replay remembers the IDs of logout requests; broker/store implements it.
type Replay interface {
	Claim(ctx context.Context, kind, issuer, id string, until time.Time) (first bool, err error)
}

// Pages shows pages; *page.Renderer implements it.
type Pages interface {
	Write(w http.ResponseWriter, r *http.Request, p page.Page)
	Error(w http.ResponseWriter, r *http.Request, p page.ErrorPage)
}

// Box seals what an address carries; *seal.Box implements it.
type Box interface {
	Seal(purpose string, plain []byte) string
	Open(purpose, text string) ([]byte, error)
}

// Observer counts what happened; broker/metrics implements it. outcome is "response", "login", "status" (of a person's or the request's own
// making) or a trust.Reason.
type Observer interface {
	Authorize(outcome string, took time.Duration)
}

// Endpoint is the identity provider. Every field is required.
type Endpoint struct {
	Issuer    string // our issuer; entityID and endpoints are below it, whatever host a request names
	Base      string // its path, without trailing slash
	Registry  func() Registry
	Apps      func(client string) (App, bool)
	Own       func() ([]OwnKey, error) // the first signs, all are published
	Sessions  Sessions
	Logins    Logins
	Standings Standings
	Families  Families
	Leaver    Leaver
	Replay    Replay
	Box       Box
	Pages     Pages
	Pairwise  func(sector, sub string) string // trust.PairwiseSub with the broker's salt
	Audit     audit.Recorder
	Sampled   audit.Recorder // refusals of strangers: a flood must not fill the disk
	Remote    func(*http.Request) string
	Limit     func(ip string) bool // whether an address may ask again
	Observer  Observer
	Now       func() time.Time
	Log       *slog.Logger
}

// EntityID is what applications know us as.
func (e *Endpoint) EntityID() string { return e.Issuer + MetadataPath }
