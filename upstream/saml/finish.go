package saml

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"maps"
	"net/url"
	"time"

	"apostille/trust"
	"apostille/trust/xmlsec"
	"apostille/upstream"
)

// Screen implements upstream.Screener: all that Finish checks leaves nothing behind.
func (sp *ServiceProvider) Screen(ctx context.Context, t *trust.Trust, acs string, in upstream.Answer) (id string, err error) {
	defer sp.guarded(&err)
	l, err := sp.finish(ctx, t, acs, in)
	var e *upstream.Error
	if errors.As(err, &e) && e.Reason == trust.ReasonLoginRequired { // it is the office's, and the application is to hear of it
		err = nil
	}
	return l.Subject.TokenID, err
}

// Sender implements upstream.Unsolicited, for trusts that allow it.
func (sp *ServiceProvider) Sender(ctx context.Context, trusts func(issuer string) []*trust.Trust, acs string, params url.Values) (_ *trust.Trust, err error) {
	defer sp.guarded(&err)
	document, f := posted(params)
	if f != nil {
		return nil, refusal(f)
	}
	root, f := parseResponse(document)
	if f != nil {
		return nil, refusal(f)
	}
	issuer, f := claimedIssuer(root)
	if f != nil {
		return nil, refusal(f)
	}
	err = refusal(faulty(trust.ReasonLoginState, checkEnvelope, quote("nobody asked for it, and no trust takes that from ", issuer)))
	for _, t := range trusts(issuer) {
		if p, known := sp.known(t); known != nil || !p.cfg.IdPInitiated || t.Spec.Login.Protocol != trust.ProtocolSAML {
			continue
		}
		if _, err = sp.Finish(ctx, t, acs, upstream.Answer{Params: params}); err == nil {
			return t, nil
		}
	}
	return nil, err
}

// Finish implements upstream.Provider: the Response to the request that Begin made (SAML Profiles 2.0 §4.1.4.3), or, without a Secret, one that
// nobody asked for, if the trust allows it. The login is good once: see upstream.Login.OnceUntil.
func (sp *ServiceProvider) Finish(ctx context.Context, t *trust.Trust, acs string, in upstream.Answer) (_ upstream.Login, err error) {
	defer sp.guarded(&err)
	l, err := sp.finish(ctx, t, acs, in)
	if err != nil {
		return upstream.Login{}, err
	}
	return l, nil
}

// finish returns the TokenID also where nothing but the freshness of the login is amiss.
func (sp *ServiceProvider) finish(ctx context.Context, t *trust.Trust, acs string, in upstream.Answer) (upstream.Login, error) {
	p, err := sp.known(t)
	if err != nil {
		return upstream.Login{}, err
	}
	if unsolicited := len(in.Secret) == 0 && p.cfg.IdPInitiated; !unsolicited && len(in.Secret) != len(idOf(make([]byte, idBytes))) {
		return upstream.Login{}, &upstream.Error{Reason: trust.ReasonLoginState, Detail: "what was kept of the login cannot be read"}
	}
	document, f := posted(in.Params)
	if f != nil {
		return upstream.Login{}, refusal(f)
	}
	own, err := sp.Own()
	if err != nil {
		return upstream.Login{}, &upstream.Error{Reason: trust.ReasonKeysUnavailable, Detail: "our keys cannot be had", Cause: err}
	}
	v := &Verifier{Keys: sp.Keys, Now: func() time.Time { return p.now }}
	said, err := v.Response(ctx, Answer{
		Document: document, Trust: t, Audience: p.entityID(), Recipient: acs, Request: string(in.Secret), Keys: own.decrypters(), CBC: p.cfg.CBC,
	})
	if err != nil {
		return upstream.Login{}, failed(err)
	}
	l, f := p.login(said, in)
	if f != nil {
		return l, refusal(f)
	}
	return l, nil
}

// posted undoes the POST binding: base64, in which SAML Bindings 2.0 §3.5.4 allows line breaks.
func posted(params url.Values) ([]byte, *fault) {
	encoded := params.Get("SAMLResponse")
	switch {
	case params.Has("SAMLart"):
		return nil, faulty(trust.ReasonRequest, checkFormat, "the artifact binding is not built")
	case encoded == "":
		return nil, faulty(trust.ReasonRequest, checkFormat, "no SAMLResponse")
	case len(encoded) > xmlsec.MaxBytes*3/2:
		return nil, faulty(trust.ReasonTooLarge, checkFormat, "more than 1 MB of Response")
	}
	b, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil {
		return nil, faulty(trust.ReasonMalformed, checkFormat, "SAMLResponse is not base64")
	}
	return b, nil
}

// failed is a refusal of the Verifier as callers of a Provider see it.
func failed(err error) error {
	var r *Error
	if !errors.As(err, &r) {
		return err
	}
	out := &upstream.Error{Reason: r.Reason, Detail: r.Detail, Cause: r.Cause}
	if len(r.Checks) > 0 {
		out.Detail = r.Checks[len(r.Checks)-1].Name + ": " + r.Detail
	}
	var status statusError
	if errors.As(r.Cause, &status) {
		out.Code = status.code()
	}
	return out
}

// login is the outcome for the trust: everything about the Response has held.
func (p *party) login(said SignIn, in upstream.Answer) (upstream.Login, *fault) {
	s := said.Subject
	claims := maps.Clone(s.Claims)
	for theirs, ours := range p.cfg.Attributes { // what an admin wrote goes before what is known by itself
		if v, ok := s.Claims[theirs]; ok {
			claims[ours] = v
		}
	}
	if f := scopeFault(p.trust.Spec.AttributeScopes, claims); f != nil { // again: some stand under other names now
		return upstream.Login{}, f
	}
	s.Claims = claims
	if wrong := identifier(s.SessionID, maxID); s.SessionID != "" && wrong != "" {
		return upstream.Login{}, faulty(trust.ReasonClaim, checkSubject, "SessionIndex "+wrong)
	}
	if !s.Expires.After(p.now) { // within the skew that is allowed
		return upstream.Login{}, timeFault(trust.ReasonExpired, s.Expires, "the session at the issuer ended at ")
	}
	s.TokenID = said.ID
	if f := fresh(s.AuthTime, in); f != nil {
		return upstream.Login{Subject: trust.Subject{TokenID: said.ID}}, f
	}
	l := upstream.Login{Subject: s, OnceUntil: said.Until}
	if p.cfg.Logout {
		l.IDToken = said.Handle
	}
	return l, nil
}

const checkFresh = "fresh login"

// fresh holds the upstream to what was asked of it, as upstream/oidc does: after ForceAuthn the person authenticated since the login began;
// with a greatest age, no longer before.
func fresh(at time.Time, in upstream.Answer) *fault {
	if !in.Ask.Force && !in.Ask.HasMaxAge {
		return nil
	}
	oldest := in.Begun
	if !in.Ask.Force {
		oldest = oldest.Add(-max(in.Ask.MaxAge, 0))
	}
	if at.Before(oldest.Add(-trust.Skew)) {
		return faulty(trust.ReasonLoginRequired, checkFresh, "a login since "+oldest.UTC().Format(time.RFC3339)+
			" was asked for, and the upstream's is of "+at.UTC().Format(time.RFC3339))
	}
	return nil
}

// handle is what a logout at the upstream names: the NameID and its session. It is kept sealed.
type handle struct {
	Value       string `json:"v"`
	Format      string `json:"f,omitempty"`
	Qualifier   string `json:"q,omitempty"`
	SPQualifier string `json:"s,omitempty"`
	Session     string `json:"i,omitempty"`
}

func (a *assertion) handle() string {
	if a.name == nil {
		return ""
	}
	b, err := json.Marshal(handle{a.name.value, a.name.format, a.name.qualifier, a.name.spQualifier, a.authn.session})
	if err != nil { // never: it is text
		return ""
	}
	return string(b)
}
