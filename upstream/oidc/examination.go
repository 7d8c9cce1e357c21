package oidc

import (
	"context"
	"errors"
	"time"

	"apostille/trust"
	"apostille/trust/jose"
)

// Names of checks, as explain prints them.
const (
	checkFormat    = "format"
	checkIssuer    = "issuer"
	checkTrust     = "trust"
	checkAudience  = "audience"
	checkType      = "type"
	checkParty     = "authorized party"
	checkBinding   = "binding"
	checkTimes     = "times"
	checkSubject   = "subject"
	checkTokenID   = "token id"
	checkScopes    = "scopes"
	checkSignature = "signature"
	checkIDToken   = "id token"

	checkAnswer   = "authorization answer"
	checkNonce    = "nonce"
	checkHashes   = "hashes"
	checkSession  = "session"
	checkFresh    = "freshness"
	checkUserInfo = "userinfo"
	checkLogout   = "logout token"
)

// examination is one verification under way.
type examination struct {
	verifier *Verifier
	reg      *trust.Registry
	want     Want
	raw      string
	now      time.Time
	skip     bool // the signature; see ExamineUnverified

	token   *jose.Token
	claims  claims
	aud     []string
	trustID string         // "" until one is chosen
	spec    *trust.UseSpec // nil for own tokens
	party   *party         // of a login or logout; nil in an exchange
	times   times
	version uint64
	subject trust.Subject
	checks  []trust.Check
}

// fault is why an examination ends.
type fault struct {
	reason trust.Reason
	check  string
	detail string
	cause  error
}

func (x *examination) refusal(f *fault) *Error {
	return &Error{Reason: f.reason, Trust: x.trustID, Detail: f.detail, Cause: f.cause,
		Checks: append(x.checks, trust.Check{Name: f.check, Detail: f.detail})}
}

// passed notes a check that held; it returns nil so that a step can end with it.
func (x *examination) passed(check, detail string) *fault {
	x.checks = append(x.checks, trust.Check{Name: check, OK: true, Detail: detail})
	return nil
}

// run makes every check, the cheap ones first.
func (x *examination) run(ctx context.Context) *fault {
	if x.isHandle() {
		return x.handle(ctx)
	}
	if f := x.parse(); f != nil {
		return f
	}
	steps := (*examination).foreign
	if x.want.Type == trust.CredentialOwnToken {
		steps = (*examination).own
	}
	return steps(x, ctx)
}

// parse is the front door, and says which kind of issuer the token names.
func (x *examination) parse() *fault {
	if f := x.open(); f != nil {
		return f
	}
	return x.kind()
}

// open reads the token as far as its issuer.
func (x *examination) open() *fault {
	t, err := jose.Parse(x.raw)
	if err != nil {
		return &fault{frontDoorReason(err), checkFormat, err.Error(), err}
	}
	x.token, x.claims = t, t.Claims
	x.passed(checkFormat, "compact JWS, "+string(t.Header.Alg))
	return x.readIssuer()
}

func (x *examination) readIssuer() *fault {
	iss, f := x.claims.text("iss", checkIssuer)
	if f != nil {
		return f
	}
	if iss == "" {
		return &fault{trust.ReasonIssuerUnknown, checkIssuer, "the token has no iss", nil}
	}
	x.subject.Issuer = iss
	return nil
}

// kind holds our own issuer and CredentialOwnToken together: no trust may speak for us, and we speak for no trust.
func (x *examination) kind() *fault {
	ours := x.subject.Issuer == x.reg.Issuer()
	if ours && x.want.Type == trust.CredentialJWT && x.want.OrOwn {
		x.want.Type = trust.CredentialOwnToken
	}
	switch x.want.Type {
	case trust.CredentialOwnToken:
		if !ours {
			return &fault{trust.ReasonType, checkIssuer, quote("the token is not of our own issuer but of ", x.subject.Issuer), nil}
		}
	case trust.CredentialJWT, trust.CredentialIDToken:
		if ours {
			return &fault{trust.ReasonType, checkIssuer, "the token is of our own issuer; only an access token of ours can be exchanged", nil}
		}
	default:
		return &fault{trust.ReasonType, checkIssuer, quote("no JWT is of the type ", string(x.want.Type)), nil}
	}
	return nil
}

func frontDoorReason(err error) trust.Reason {
	switch {
	case errors.Is(err, jose.ErrTooLarge):
		return trust.ReasonTooLarge
	case errors.Is(err, jose.ErrHeader):
		return trust.ReasonHeader
	case errors.Is(err, jose.ErrAlgorithm):
		return trust.ReasonAlgorithm
	}
	return trust.ReasonMalformed
}
