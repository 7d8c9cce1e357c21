package trust

import (
	"slices"
	"strings"
	"time"
)

func (e *evaluation) standingLoaded() bool {
	if !e.st.Loaded {
		return e.refuse(ReasonStandingUnknown, "standing", "what is known of the subject could not be loaded; try again")
	}
	return e.pass("standing", "loaded")
}

// trustLive: the trust the credential was verified under exists, is enabled, and takes such credentials.
func (e *evaluation) trustLive() bool {
	s := &e.q.Subject
	t, ok := e.reg.Trust(s.Trust)
	switch {
	case !ok:
		return e.refuse(ReasonTrustNotLive, "trust", "there is no trust %q: declare it", s.Trust)
	case t.Spec.Disabled:
		return e.refuse(ReasonTrustNotLive, "trust", "trust %q is disabled: enable it", s.Trust)
	case s.Credential == CredentialJWT && t.Spec.JWT == nil, s.Credential == CredentialIDToken && t.Spec.IDToken == nil,
		s.Credential == CredentialSAML2 && t.Spec.SAML2 == nil, s.Credential == CredentialLogin && t.Spec.Login == nil:
		return e.refuse(ReasonTrustNotLive, "trust", "trust %q does not take a %s: declare that use", s.Trust, s.Credential)
	}
	e.trust = t
	return e.pass("trust", s.Trust)
}

// subjectWhole: the subject is what VERIFY makes of such a credential, and its origin is still live.
func (e *evaluation) subjectWhole() bool {
	s := &e.q.Subject
	login := s.Credential == CredentialLogin
	foreign := s.Credential == CredentialJWT || s.Credential == CredentialIDToken || s.Credential == CredentialSAML2 || login
	own := s.Credential == CredentialOwnToken || s.Credential == CredentialClient
	switch {
	case !foreign && !own:
		return e.refuse(ReasonSubject, "subject", "the subject has no known credential type: %q", s.Credential)
	case foreign == (s.Trust == Local):
		return e.refuse(ReasonSubject, "subject", "a %s cannot belong to trust %q", s.Credential, s.Trust)
	case s.Sub == "":
		return e.refuse(ReasonSubject, "subject", "the credential names no subject")
	case s.Credential != CredentialOwnToken && s.Origin != s.Trust:
		return e.refuse(ReasonSubject, "subject", "a %s of trust %q cannot originate from %q", s.Credential, s.Trust, s.Origin)
	case login != s.SignedIn && s.Credential != CredentialOwnToken:
		return e.refuse(ReasonSubject, "subject", "a %s that says it is a sign-in, or a sign-in that does not", s.Credential)
	case s.Credential == CredentialClient && (e.q.Client == "" || s.Sub != ClientSub(e.q.Client)):
		return e.refuse(ReasonSubject, "subject", "client %q acts for itself only, not for %q", e.q.Client, s.Sub)
	case foreign && strings.HasPrefix(s.Sub, clientPrefix):
		return e.refuse(ReasonSubject, "subject", "a foreign subject cannot be %q, which is a client of ours", s.Sub)
	}
	return e.originLive()
}

// originLive: an own token is worth no more than the trust its identity came from, or the client it stands for.
func (e *evaluation) originLive() bool {
	s := &e.q.Subject
	id, isClient := strings.CutPrefix(s.Sub, clientPrefix)
	switch {
	case !e.reg.trustLive(s.Origin):
		return e.refuse(ReasonTrustNotLive, "origin", "the subject came through trust %q, which is gone or disabled", s.Origin)
	case isClient != (s.Origin == Local):
		return e.refuse(ReasonSubject, "origin", "a subject %q cannot come through trust %q", s.Sub, s.Origin)
	case s.Credential == CredentialOwnToken && isClient && !e.reg.clientLive(id):
		return e.refuse(ReasonTrustNotLive, "origin", "the subject is client %q, which is gone or disabled", id)
	}
	return e.pass("origin", s.Origin)
}

func (e *evaluation) notBlocked() bool {
	if e.st.Blocked {
		return e.refuse(ReasonSubjectBlocked, "blocked", "subject %q is blocked: unblock it", e.q.Subject.Sub)
	}
	return e.pass("blocked", "no")
}

// notRevoked: the credential itself, what it belongs to, or the session it came from has ended.
func (e *evaluation) notRevoked() bool {
	if e.st.Revoked {
		return e.refuse(ReasonRevoked, "revoked", "the credential of subject %q was revoked, or what it came from has ended: sign in again", e.q.Subject.Sub)
	}
	return e.pass("revoked", "no")
}

// issuedAfterCutoff: a credential without a time of issue cannot show that it is newer. A client that acts for itself
// has just authenticated.
func (e *evaluation) issuedAfterCutoff() bool {
	if e.st.NotBefore.IsZero() {
		return e.pass("not before", "no bound")
	}
	cutoff := e.st.NotBefore.UTC().Format(time.RFC3339)
	issued := e.q.Subject.IssuedAt
	if e.q.Subject.Credential == CredentialClient {
		issued = e.q.Now
	}
	switch {
	case issued.IsZero():
		return e.refuse(ReasonNotBefore, "not before", "credentials issued before %s are refused, and this one says no time", cutoff)
	case issued.Before(e.st.NotBefore):
		return e.refuse(ReasonNotBefore, "not before", "the credential was issued at %s; those before %s are refused",
			issued.UTC().Format(time.RFC3339), cutoff)
	}
	return e.pass("not before", cutoff)
}

// requireMet: the conditions of the trust itself, which bind every grant.
func (e *evaluation) requireMet() bool {
	var failed *condition
	for i := range e.trust.require {
		c := &e.trust.require[i]
		ok := c.holds(e.q.Subject.Claims)
		if e.q.Explain {
			e.note("", "require "+c.path.text, ok, c.compare(e.q.Subject.Claims))
		}
		if !ok && failed == nil {
			failed = c
		}
	}
	if failed != nil {
		return e.refuse(ReasonRequire, "require", "trust %q requires more of its subjects: %s", e.trust.ID, failed.compare(e.q.Subject.Claims))
	}
	return true
}

// holderMay: our own token is exchanged by the client that owns every API in its `aud`, or by the client it was
// issued to as long as the audience stays; and a chain has an end.
func (e *evaluation) holderMay() bool {
	s := &e.q.Subject
	switch s.Credential {
	case CredentialClient, CredentialLogin:
		return true
	case CredentialJWT, CredentialIDToken, CredentialSAML2:
		e.links = 1
		return true
	}
	switch {
	case e.client == nil:
		return e.refuse(ReasonNotHolder, "holder", "our own tokens are exchanged by authenticated clients only")
	case e.ownsAudience():
		e.pass("holder", "owns every API in the token's audience")
	case s.ClientID != e.client.ID:
		return e.refuse(ReasonNotHolder, "holder", "client %q neither owns the APIs in the token's audience %s nor was it issued to it",
			e.client.ID, show(s.Audience))
	default:
		e.stays = true
		e.pass("holder", "the token was issued to it, so the audience must stay")
	}
	e.links = s.Links + 1
	if s.Links < 0 || e.links > MaxLinks {
		return e.refuse(ReasonChainTooLong, "chain", "%d exchanges are behind the token; one more would pass the limit of %d", s.Links, MaxLinks)
	}
	return !e.stays || e.audienceStays()
}

// ownsAudience is false for a token without audience: nobody owns nothing.
func (e *evaluation) ownsAudience() bool {
	for _, aud := range e.q.Subject.Audience {
		a, ok := e.reg.byAudience[aud]
		if !ok || a.Spec.Client != e.client.ID {
			return false
		}
	}
	return len(e.q.Subject.Audience) > 0
}

// audienceStays is asked once the request's own targets are known and again when they were inferred.
func (e *evaluation) audienceStays() bool {
	for _, a := range e.targets {
		if !slices.Contains(e.q.Subject.Audience, a.Spec.Audience) {
			return e.refuse(ReasonNotHolder, "holder", "api %q is not in the token's audience %s: only the owner of that audience may exchange it for another",
				a.ID, show(e.q.Subject.Audience))
		}
	}
	return true
}
