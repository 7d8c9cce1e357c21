package authorize

import (
	"slices"
	"strings"
	"time"

	"apostille/broker/authflow"
	"apostille/broker/family"
	"apostille/broker/session"
	"apostille/trust"
	"apostille/upstream"
)

// identity is somebody who is signed in and answers a request.
type identity struct {
	session.Identity
	Office  *trust.Trust
	Session string // Session.ID
	Fresh   bool   // signed in for this very request
}

// scene is what is known when a request is to be answered.
type scene struct {
	Logins  []*trust.Trust   // whose people may sign in to the client
	Session *session.Session // nil: nobody is signed in
	Result  *authflow.Result // of the login made for this very request; nil: none
	SubFor  func(sub string) string
	Now     time.Time
}

// choose finds the identity that answers. Neither identity nor problem: somebody has to sign in first. With prompt=none it is always
// one of the two (OpenID Connect Core §3.1.2.1).
func (q *request) choose(s scene) (*identity, *problem) {
	if len(s.Logins) == 0 {
		return nil, refusedBy(&trust.Decision{Reason: trust.ReasonSignIn, Detail: "no rule with sign_in names the client"})
	}
	if s.Result != nil {
		return q.signedIn(s)
	}
	found := q.suitable(s)
	switch {
	case q.prompt.login || q.prompt.account || len(found) == 0 && !q.prompt.none:
		return nil, nil
	case len(found) == 0:
		return nil, quiet(codeLogin, "nobody is signed in who would do")
	}
	if len(found) > 1 {
		found = q.hinted(found)
	}
	if len(found) > 1 && q.prompt.none {
		return nil, quiet(codeAccount, "more than one identity is signed in")
	}
	return latest(found), nil
}

// signedIn is the identity of the login that was made for this request. It answers, or nobody does: asking again would ask for ever.
// That it is as fresh as asked for was checked when it was made, against the time it was asked.
func (q *request) signedIn(s scene) (*identity, *problem) {
	who := s.identity(s.Result.Trust)
	required := func(code, detail string) *problem {
		return &problem{Code: code, Text: detail, Reason: trust.ReasonLoginRequired, Detail: detail, Trust: s.Result.Trust}
	}
	switch {
	case who == nil:
		return nil, required(codeLogin, "the sign-in is over already")
	case !q.wants(who, s):
		return nil, required(codeLogin, "another person signed in than was asked for")
	case !q.strong(who):
		return nil, required(codeUnmet, "the sign-in is not of the class that was asked for")
	}
	who.Fresh = true
	return who, nil
}

// suitable lists who of the session would do.
func (q *request) suitable(s scene) []*identity {
	var out []*identity
	named := q.named(s.Logins)
	for _, t := range s.Logins {
		who := s.of(t)
		if who == nil || len(named) > 0 && !contains(named, t.ID) {
			continue
		}
		if q.wants(who, s) && q.recent(who, s.Now) && q.strong(who) && who.vouched(s.Now.Add(family.CodeLife)) {
			out = append(out, who)
		}
	}
	return out
}

// identity is who is signed in with a trust that the client takes; nil = nobody.
func (s scene) identity(trustID string) *identity {
	at := slices.IndexFunc(s.Logins, func(t *trust.Trust) bool { return t.ID == trustID })
	if at < 0 {
		return nil
	}
	return s.of(s.Logins[at])
}

// of is identity for a trust that is known to be among Logins. There may be ten thousand, and each is asked for.
func (s scene) of(t *trust.Trust) *identity {
	if s.Session == nil {
		return nil
	}
	who, ok := s.Session.Identity(t.ID)
	if !ok {
		return nil
	}
	return &identity{Identity: who, Office: t, Session: s.Session.ID}
}

// named lists the trusts that idp_hint means, by ID or issuer; none for a hint that helps nobody.
func (q *request) named(logins []*trust.Trust) []string {
	var out []string
	for _, t := range logins {
		if q.IDPHint != "" && (t.ID == q.IDPHint || t.Spec.Issuer == q.IDPHint) {
			out = append(out, t.ID)
		}
	}
	return out
}

// wants says whether the client lets this person answer.
func (q *request) wants(who *identity, s scene) bool {
	return !q.bound || contains(q.subs, s.SubFor(who.Subject.Sub))
}

// recent says whether the authentication is as young as max_age wants. One whose time is not known is not.
func (q *request) recent(who *identity, now time.Time) bool {
	if !q.HasMaxAge {
		return true
	}
	at := who.Subject.AuthTime
	return q.MaxAge > 0 && !at.IsZero() && now.Sub(at) <= q.MaxAge
}

// anew says whether the office has to ask the person again, whoever is signed in there.
func (q *request) anew() bool { return q.prompt.login || q.HasMaxAge && q.MaxAge == 0 }

// vouched says whether what the office said of the person may still be relied on at that time (THREATS A96).
func (who *identity) vouched(at time.Time) bool {
	return !at.After(who.Office.ClaimsUntil(&who.Subject))
}

// strong says whether the class is one of those that must be.
func (q *request) strong(who *identity) bool { return !q.acrBound || contains(q.acr, who.Subject.ACR) }

// hinted narrows identities to those that login_hint names, if it names any.
func (q *request) hinted(found []*identity) []*identity {
	if q.LoginHint == "" {
		return found
	}
	var out []*identity
	for _, who := range found {
		for _, name := range []string{"email", "preferred_username", "upn"} {
			if s, ok := who.Subject.Claims[name].(string); ok && strings.EqualFold(s, q.LoginHint) {
				out = append(out, who)
				break
			}
		}
	}
	if len(out) == 0 {
		return found
	}
	return out
}

// latest is who signed in last: the choice that the person made most lately.
func latest(found []*identity) *identity {
	return slices.MaxFunc(found, func(a, b *identity) int { return a.SignedIn.Compare(b.SignedIn) })
}

// login is what broker/authflow is asked for. A person who gives up comes back to us, and we tell the client.
func (q *request) login(logins []*trust.Trust) authflow.Request {
	out := authflow.Request{
		Client: q.client.ID, ClientName: q.client.Title(), Hint: q.IDPHint, LoginHint: q.LoginHint,
		Ask: upstream.Ask{
			Force: q.anew(), Select: q.prompt.account, MaxAge: q.MaxAge, HasMaxAge: q.HasMaxAge,
			LoginHint: q.LoginHint, ACRValues: wishes(q.acr), Locales: q.Locales,
		},
		Select: q.prompt.account, Return: q.selfReturn, Locales: q.Locales,
	}
	for _, t := range logins {
		out.Trusts = append(out.Trusts, t.ID)
	}
	if len(q.selfReturn) <= maxCancel {
		out.Cancel = q.selfReturn + "&" + result + "=" + cancelled
	}
	return out
}

// wishes are the classes that an office is asked for. None has a name of more than 128 bytes: such a wish would make the request too long
// to be kept, and acr_values never fail one.
func wishes(acr []string) []string {
	return slices.DeleteFunc(slices.Clone(acr), func(class string) bool { return len(class) > maxACR })
}

// maxCancel is the longest request that gets a link back to the application: the link is as long as the request, and both travel in
// one URL.
const maxCancel = 2 << 10

// cancelled stands for a login's result where a person gave up.
const cancelled = "cancelled"
