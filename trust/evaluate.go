package trust

import (
	"fmt"
	"slices"
	"time"
)

// Evaluate decides what the subject of a request may get. It is pure: the same policy, request and standing give
// the same Decision, whose maps and slices may share memory with the request's. It works in stages; the first that
// fails decides. With q.Explain each stage also notes every rule, condition and scope it looked at.
func (r *Registry) Evaluate(q Request, st Standing) Decision {
	e := &evaluation{reg: r, q: q, st: st}
	e.d.Trust, e.d.Sub, e.d.ClientID = q.Subject.Origin, q.Subject.Sub, q.Client
	if q.Client == "" {
		e.d.ClientID = "trust:" + q.Subject.Trust
	}
	for _, stage := range stages {
		if !stage(e) && !e.signInAlone() {
			return e.d
		}
	}
	e.grant()
	return e.d
}

// stages in the order in which they may refuse. No grant has a path around one.
var stages = []func(*evaluation) bool{
	(*evaluation).standingLoaded,
	(*evaluation).trustLive,
	(*evaluation).subjectWhole,
	(*evaluation).notBlocked,
	(*evaluation).notRevoked,
	(*evaluation).issuedAfterCutoff,
	(*evaluation).clientMay,
	(*evaluation).holderMay,
	(*evaluation).claimsFresh,
	(*evaluation).requireMet,
	(*evaluation).signInMay,
	(*evaluation).rulesFound,
	(*evaluation).targetNamed,
	(*evaluation).conditionsMet,
	(*evaluation).formTaken,
	(*evaluation).scopesLeft,
	(*evaluation).consentGiven,
	(*evaluation).claimsAgree,
	(*evaluation).timeLeft,
}

// evaluation is one Evaluate under way.
type evaluation struct {
	reg *Registry
	q   Request
	st  Standing
	d   Decision

	trust   *Trust
	client  *Client  // nil: unauthenticated
	stays   bool     // own token presented by the client it was issued to: the audience may not change
	asked   []string // scopes of APIs asked for, each once; of a sign-in those that are not identity
	rules   []*rule  // of the trust, for the client
	targets []*API   // sorted by ID
	holding []*rule  // of the targets, conditions hold
	scopes  []string
	giving  []*rule // contribute to the token
	claims  map[string]any
	expires time.Time
	links   int

	// Of sign-ins.
	signIns        []*rule // hold for this person
	identity       []string
	home           bool // the token is for the broker itself: no API is asked for, or none is left
	identityClaims map[string]any
	unconsented    map[string][]string // also of exchanges
}

// isLogin says whether the credential is a sign-in.
func (e *evaluation) isLogin() bool { return e.q.Subject.Credential == CredentialLogin }

// refuse records why. The text names the values and what would have to change.
func (e *evaluation) refuse(reason Reason, step, format string, args ...any) bool {
	e.d.Reason, e.d.Detail = reason, fmt.Sprintf(format, args...)
	if e.q.Explain {
		e.note("", step, false, e.d.Detail)
	}
	return false
}

// pass records that a stage is passed.
func (e *evaluation) pass(step, detail string) bool {
	if e.q.Explain {
		e.note("", step, true, detail)
	}
	return true
}

func (e *evaluation) note(rule, name string, ok bool, detail string) {
	e.d.Steps = append(e.d.Steps, Step{Rule: rule, Name: name, OK: ok, Detail: detail})
}

// grant fills in what a refusal must not carry: a caller that forgets to look at Granted has no audience to issue for.
func (e *evaluation) grant() {
	e.d.APIs = make([]string, len(e.targets))
	e.d.Audience = make([]string, len(e.targets))
	for i, a := range e.targets {
		e.d.APIs[i], e.d.Audience[i] = a.ID, a.Spec.Audience
	}
	e.d.Rules = make([]string, 0, len(e.signIns)+len(e.giving))
	for _, r := range e.signIns {
		e.d.Rules = append(e.d.Rules, r.name)
	}
	for _, r := range e.giving {
		e.d.Rules = append(e.d.Rules, r.name)
	}
	e.d.Scopes, e.d.Claims, e.d.Expires = e.scopes, e.claims, e.expires
	if e.home {
		e.d.Scopes = slices.Clone(e.identity)
	}
	e.d.Identity, e.d.IdentityClaims, e.d.Unconsented = e.identity, e.identityClaims, e.unconsented
	if e.q.Subject.SignedIn {
		e.d.AuthTime, e.d.ACR, e.d.Family = e.q.Subject.AuthTime, e.q.Subject.ACR, e.q.Subject.Family
	}
	e.d.Token = e.targets[0].Spec.Token
	e.d.Links = e.links
	e.d.Granted = true
}
