package saml

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"time"

	crewjam "github.com/crewjam/saml"

	"apostille/trust"
	"apostille/trust/xmlsec"
	"apostille/upstream"
)

// logoutLife is how long a logout message is good for, either way: it is sent when it is meant.
const logoutLife = 5 * time.Minute

const checkLogout = "logout"

// LogoutURL is where the browser ends its session at the upstream: a signed LogoutRequest by redirect (SAML Core 2.0 §3.7.1). "" if the
// trust does not want it or nothing is known of the session there. hint is upstream.Login.IDToken.
func (sp *ServiceProvider) LogoutURL(_ context.Context, t *trust.Trust, hint, _, state string) (_ string, err error) {
	defer sp.guarded(&err)
	p, err := sp.known(t)
	if err != nil || !p.cfg.Logout || p.cfg.LogoutURL == "" {
		return "", err
	}
	var h handle
	if hint == "" || json.Unmarshal([]byte(hint), &h) != nil || h.Value == "" {
		return "", nil
	}
	until := p.now.UTC().Add(logoutLife)
	m := &crewjam.LogoutRequest{
		ID: newID(), Version: "2.0", IssueInstant: p.now.UTC(), NotOnOrAfter: &until, Destination: p.cfg.LogoutURL, Issuer: p.issuer(),
		NameID: &crewjam.NameID{Value: h.Value, Format: h.Format, NameQualifier: h.Qualifier, SPNameQualifier: h.SPQualifier},
	}
	if h.Session != "" {
		m.SessionIndex = &crewjam.SessionIndex{Value: h.Session}
	}
	deflated, err := m.Deflate()
	if err != nil {
		return "", err
	}
	start, err := p.sendSigned("SAMLRequest", p.cfg.LogoutURL, BindingRedirect, deflated, state)
	return start.URL, err
}

// logoutMessage is a LogoutRequest or a LogoutResponse as it came, not verified.
type logoutMessage struct {
	root   *xmlsec.Element
	answer bool
	relay  string
	verify func(p *party, ctx context.Context) (*xmlsec.Element, *fault) // what was signed
}

// FrontLogout implements upstream.FrontReceiver (SAML Profiles 2.0 §4.4): what is not signed by the upstream is nothing (THREATS A40).
func (sp *ServiceProvider) FrontLogout(ctx context.Context, trusts func(issuer string) []*trust.Trust, in upstream.FrontMessage) (_ upstream.FrontLogout, err error) {
	defer sp.guarded(&err)
	m, f := readLogout(in)
	if f != nil {
		return upstream.FrontLogout{}, refusal(f)
	}
	issuer, f := claimedIssuer(m.root)
	if f != nil {
		return upstream.FrontLogout{}, refusal(f)
	}
	f = faulty(trust.ReasonIssuerUnknown, checkIssuer, quote("people of no live trust sign in with SAML at ", issuer))
	for _, t := range trusts(issuer) {
		p, err := sp.known(t)
		if err != nil || t.Spec.Login.Protocol != trust.ProtocolSAML {
			continue
		}
		var signed *xmlsec.Element
		if signed, f = m.verify(p, ctx); f != nil {
			continue
		}
		out, f := p.loggedOut(m, signed)
		if f != nil {
			return upstream.FrontLogout{}, refusal(f)
		}
		return out, nil
	}
	return upstream.FrontLogout{}, refusal(f)
}

// readLogout reads a message out of its binding.
func readLogout(in upstream.FrontMessage) (*logoutMessage, *fault) {
	m := &logoutMessage{}
	var document []byte
	if in.Form == nil {
		q, err := xmlsec.ParseQuery(in.Query)
		if err != nil {
			return nil, &fault{trust.ReasonRequest, checkFormat, err.Error(), err}
		}
		if document, err = inflate(q.Message); err != nil {
			return nil, &fault{trust.ReasonMalformed, checkFormat, err.Error(), err}
		}
		m.answer, m.relay = q.Parameter == "SAMLResponse", q.RelayState
		m.verify = func(p *party, ctx context.Context) (*xmlsec.Element, *fault) { return p.verifyQuery(ctx, q, m.root) }
	} else {
		encoded, isRequest := in.Form.Get("SAMLRequest"), in.Form.Has("SAMLRequest")
		if isRequest == in.Form.Has("SAMLResponse") {
			return nil, faulty(trust.ReasonRequest, checkFormat, "neither SAMLRequest nor SAMLResponse, or both")
		}
		if !isRequest {
			m.answer, encoded = true, in.Form.Get("SAMLResponse")
		}
		var err error
		if document, err = base64.StdEncoding.DecodeString(encoded); err != nil || len(document) > maxInflated {
			return nil, faulty(trust.ReasonMalformed, checkFormat, "not base64 of up to 64 KB")
		}
		m.relay = in.Form.Get("RelayState")
		m.verify = func(p *party, ctx context.Context) (*xmlsec.Element, *fault) { return p.verifyMessage(ctx, m.root) }
	}
	var err error
	if m.root, err = xmlsec.Parse(document); err != nil {
		return nil, xmlFault(checkFormat, err)
	}
	want := "LogoutRequest"
	if m.answer {
		want = "LogoutResponse"
	}
	if !m.root.Is(samlp(want)) {
		return nil, faulty(trust.ReasonType, checkFormat, quote("not a "+want+", but ", m.root.Name().Local))
	}
	return m, nil
}

// verifyQuery checks the signature over the URL's own octets. A signature inside would be a second one, of nothing that was checked.
func (p *party) verifyQuery(ctx context.Context, q xmlsec.Query, root *xmlsec.Element) (*xmlsec.Element, *fault) {
	keys, f := p.signers(ctx)
	if f != nil {
		return nil, f
	}
	if err := q.Verify(keys); err != nil {
		return nil, xmlFault(checkSignature, err)
	}
	for e := range root.Walk() {
		if e.Is(signatureName) {
			return nil, faulty(trust.ReasonMalformed, checkFormat, "a signature inside a message of the redirect binding")
		}
	}
	return root, nil
}

// verifyMessage checks the enveloped signature.
func (p *party) verifyMessage(ctx context.Context, root *xmlsec.Element) (*xmlsec.Element, *fault) {
	keys, f := p.signers(ctx)
	if f != nil {
		return nil, f
	}
	signed, err := xmlsec.Verify(root, keys)
	if err != nil {
		return nil, xmlFault(checkSignature, err)
	}
	return signed.Element(), nil
}

// loggedOut judges a message whose signature holds.
func (p *party) loggedOut(m *logoutMessage, signed *xmlsec.Element) (upstream.FrontLogout, *fault) {
	out := upstream.FrontLogout{Trust: p.trust, Answer: m.answer}
	w := &want{recipients: []string{p.sp.Issuer + LogoutPath}, maxAge: logoutLife}
	if m.answer {
		// What we asked is not kept: nothing follows from the answer but what a person is shown.
		r, err := readEnvelope(signed)
		switch {
		case err != nil || r.assertion != nil || r.issuer != p.trust.Spec.Issuer:
			return out, &fault{trust.ReasonMalformed, checkShape, "not a LogoutResponse of the upstream", err}
		case !w.receives(r.destination):
			return out, faulty(trust.ReasonRecipient, checkLogout, quote("the LogoutResponse is for another place: ", r.destination))
		case r.issued.After(p.now.Add(trust.Skew)) || p.now.Sub(r.issued) > w.maxAge+trust.Skew:
			return out, timeFault(trust.ReasonTooOld, r.issued, "the LogoutResponse was issued at ")
		}
		out.Done = r.status == statusSuccess
		return out, nil
	}
	r, err := readLogoutRequest(signed)
	if err != nil {
		return out, &fault{trust.ReasonMalformed, checkShape, err.Error(), err}
	}
	if f := r.fault(w, p); f != nil {
		return out, f
	}
	if out.LoggedOut = p.sessionsOf(r); len(out.LoggedOut) == 0 {
		return out, faulty(trust.ReasonSubject, checkLogout, "the trust names people by an attribute, and the LogoutRequest names no SessionIndex")
	}
	out.Reply = func(done bool) (upstream.Start, error) { return p.reply(m.relay, r.id, done) }
	return out, nil
}

// logoutRequest is what a LogoutRequest says.
type logoutRequest struct {
	id, issuer, destination string
	issued, notOnOrAfter    time.Time
	name                    *nameID
	sessions                []string
}

func readLogoutRequest(e *xmlsec.Element) (*logoutRequest, error) {
	r := &logoutRequest{}
	if v, _ := e.Attr("Version"); v != "2.0" {
		return nil, errors.New("the Version is not 2.0")
	}
	r.id, _ = e.Attr("ID")
	r.destination, _ = e.Attr("Destination")
	var wrong [2]error
	r.issued, wrong[0] = instant(e, "IssueInstant")
	r.notOnOrAfter, wrong[1] = instant(e, "NotOnOrAfter")
	if err := errors.Join(wrong[:]...); err != nil {
		return nil, err
	}
	return r, structure(e, "ID Version IssueInstant Destination Consent Reason NotOnOrAfter",
		one("Issuer", func(e *xmlsec.Element) (err error) { r.issuer, err = readIssuer(e); return err }),
		one("NameID", func(e *xmlsec.Element) (err error) { r.name, err = readNameID(e); return err }),
		part{[]xmlsec.Name{samlp("SessionIndex")}, 0, 0, func(e *xmlsec.Element) error {
			index, err := text(e, "")
			r.sessions = append(r.sessions, index)
			return err
		}})
}

// fault says why a LogoutRequest is not for us, or not for now.
func (r *logoutRequest) fault(w *want, p *party) *fault {
	switch wrong := identifier(r.id, maxID); {
	case r.issuer != p.trust.Spec.Issuer:
		return faulty(trust.ReasonIssuerUnknown, checkIssuer, quote("what is signed names another issuer: ", r.issuer))
	case wrong != "":
		return faulty(trust.ReasonTokenID, checkTokenID, "ID "+wrong)
	case !w.receives(r.destination): // SAML Bindings 2.0 §3.4.5.2: a signed message names it
		return faulty(trust.ReasonRecipient, checkLogout, quote("the LogoutRequest is for another place: ", r.destination))
	case r.issued.IsZero() || r.issued.After(p.now.Add(trust.Skew)):
		return faulty(trust.ReasonNotYetValid, checkTimes, "the LogoutRequest has no IssueInstant, or one in the future")
	case p.now.Sub(r.issued) > w.maxAge+trust.Skew:
		return timeFault(trust.ReasonTooOld, r.issued, "the LogoutRequest was issued at ")
	case !r.notOnOrAfter.IsZero() && !p.now.Add(-trust.Skew).Before(r.notOnOrAfter):
		return timeFault(trust.ReasonExpired, r.notOnOrAfter, "the LogoutRequest expired at ")
	case len(r.sessions) > 20:
		return faulty(trust.ReasonTooLarge, checkLogout, "the LogoutRequest names more than 20 sessions")
	}
	if f := r.name.fault(); f != nil && p.trust.ByNameID() {
		return f
	}
	return nil
}

// sessionsOf is whose sessions, or which ones, ended. Where an attribute names people a NameID tells nothing, and only sessions count.
func (p *party) sessionsOf(r *logoutRequest) (list []upstream.LoggedOut) {
	out := upstream.LoggedOut{Issuer: r.issuer, TokenID: r.id, IssuedAt: r.issued, Expires: r.issued.Add(logoutLife + trust.Skew)}
	if p.trust.ByNameID() {
		out.Sub = trust.DeriveSub(p.trust.Spec.Domain, r.name.kind(r.issuer), r.name.value)
	}
	for _, index := range r.sessions {
		if identifier(index, maxID) == "" {
			out.SID = index
			list = append(list, out)
		}
	}
	if len(r.sessions) == 0 && out.Sub != "" {
		list = append(list, out)
	}
	return list
}

// reply is a signed LogoutResponse by redirect, whatever the request came by.
func (p *party) reply(relay, to string, done bool) (upstream.Start, error) {
	status := crewjam.StatusSuccess
	if !done {
		status = crewjam.StatusResponder
	}
	place := p.cfg.LogoutURL
	if place == "" {
		return upstream.Start{}, &upstream.Error{Reason: trust.ReasonUpstreamError, Detail: "the trust has no slo_url to answer to"}
	}
	r := &crewjam.LogoutResponse{
		ID: newID(), InResponseTo: to, Version: "2.0", IssueInstant: p.now.UTC(), Destination: place, Issuer: p.issuer(),
		Status: crewjam.Status{StatusCode: crewjam.StatusCode{Value: status}},
	}
	deflated, err := base64.StdEncoding.DecodeString(r.Redirect("").Query().Get("SAMLResponse"))
	if err != nil {
		return upstream.Start{}, err
	}
	if len(relay) > maxRelay {
		relay = ""
	}
	return p.sendSigned("SAMLResponse", place, BindingRedirect, deflated, relay)
}

// maxRelay bounds a RelayState that is given back, in bytes; 80 are allowed (SAML Bindings 2.0 §3.4.3), and some peers take more.
const maxRelay = 1024

var _ upstream.FrontReceiver = (*ServiceProvider)(nil)
