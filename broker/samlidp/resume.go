package samlidp

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"time"

	"apostille/broker/audit"
	"apostille/broker/authflow"
	"apostille/broker/family"
	"apostille/broker/oauth"
	"apostille/broker/session"
	"apostille/trust"
	"apostille/upstream"
)

// identity is somebody who is signed in and answers a request.
type identity struct {
	session.Identity
	Office  *trust.Trust
	Session string // Session.ID
}

// maxCancel is the longest address that gets a link back to the application, in bytes: the link is as long, and both travel in one URL.
const maxCancel = 2 << 10

// resume is the numbered path from a request that was judged to its Response.
func (e *Endpoint) resume(c *call, r *http.Request) (next, error) {
	// 1. Our own words, of an application that is still one, for a place that is still registered.
	v, bad := oauth.ParseParams(r.URL.RawQuery)
	if bad != nil {
		return next{}, unreadable("the address is not one of ours", bad)
	}
	if p := e.unseal(c, v.Get("r")); p != nil {
		return next{}, p
	}
	if v.Get("login") == "cancelled" {
		return next{}, quiet(statusFailed, "the person cancelled the sign-in")
	}
	// 2. Whose sign-in answers.
	who, login, err := e.who(c, r, v.Get("login"))
	if err != nil || login != nil {
		return next{Login: login}, err
	}
	c.known = true
	c.event.Trust, c.event.Issuer, c.event.Subject = who.Subject.Trust, who.Subject.Issuer, who.Subject.Sub
	// 3. What it is worth.
	standing := e.Standings.Standing(r.Context(), who.Subject, c.client.ID)
	d := c.reg.Evaluate(trust.Request{Grant: trust.GrantSAMLSSO, Subject: who.Subject, Client: c.client.ID, Now: c.started}, standing)
	if !d.Granted {
		return next{}, &problem{Top: statusResponder, Second: statusDenied, Reason: d.Reason, Detail: d.Detail, Trust: d.Trust}
	}
	// 4. The assertion: recorded first, answered then.
	return e.issue(r.Context(), c, who, &d)
}

func (e *Endpoint) unseal(c *call, text string) *problem {
	over := &problem{Reason: trust.ReasonLoginState, Detail: "a request that is not one of ours, or lay open too long"}
	plain, err := e.Box.Open(requestPurpose, text)
	if err != nil || json.Unmarshal(plain, &c.asked) != nil {
		return over
	}
	if age := c.started.Sub(c.asked.Since); age > requestTTL || age < -trust.Skew {
		return over
	}
	client, ok := c.reg.Client(c.asked.Client)
	if !ok || client.Spec.Disabled || client.Spec.App == nil || client.Spec.App.SAML == nil || !client.Spec.App.SAML.AnswersAt(c.asked.ACS) {
		return &problem{Reason: trust.ReasonClientUnknown, Detail: "the application, or the place of its answer, is not registered any more"}
	}
	if c.app, ok = e.Apps(client.ID); !ok {
		return &problem{Reason: trust.ReasonClientUnknown, Detail: "the application is not configured any more"}
	}
	c.client, c.event.Client = client, client.ID
	return nil
}

// who finds the identity that answers, or the login that is needed first.
func (e *Endpoint) who(c *call, r *http.Request, handle string) (*identity, *authflow.Request, error) {
	logins := c.reg.Logins(c.client.ID)
	if len(logins) == 0 {
		return nil, nil, &problem{Top: statusResponder, Second: statusDenied, Reason: trust.ReasonSignIn, Detail: "no rule with sign_in names the client"}
	}
	current, err := e.Sessions.Current(r)
	if err != nil {
		return nil, nil, unavailable(trust.ReasonStore, "the session could not be read", err)
	}
	self, err := e.sameSelf(r)
	if err != nil {
		return nil, nil, err
	}
	if handle != "" {
		who, done, p := e.signedIn(c, r, handle, self, logins, current)
		if p != nil || done {
			return who, nil, orNil(p)
		}
	}
	if who := c.suitable(logins, current); who != nil {
		return who, nil, nil
	}
	if c.asked.Passive {
		return nil, nil, quiet(statusNoPassive, "nobody is signed in who would do")
	}
	return nil, c.login(self), nil
}

func orNil(p *problem) error {
	if p == nil {
		return nil
	}
	return p
}

// sameSelf is the address of this request without a login's result: what the login was begun with.
func (e *Endpoint) sameSelf(r *http.Request) (string, error) {
	p, bad := oauth.ParseParams(r.URL.RawQuery)
	if bad != nil {
		return "", unreadable("the address is not one of ours", bad)
	}
	return e.Base + ResumePath + "?r=" + p.Get("r"), nil // sealed text needs no escaping
}

// signedIn is the identity of the login that was made for this very request. It answers, or nobody does: asking again would ask for ever.
func (e *Endpoint) signedIn(c *call, r *http.Request, handle, self string, logins []*trust.Trust, current *session.Session) (*identity, bool, *problem) {
	out, ok, err := e.Logins.Result(r, handle, self)
	switch {
	case err != nil:
		return nil, false, unavailable(trust.ReasonStore, "the login's result could not be read", err)
	case !ok && out.Refused != "":
		return nil, false, &problem{Top: statusResponder, Second: statusFailed, Reason: out.Refused, Detail: "the office did not authenticate the person anew", Trust: out.Trust}
	case !ok:
		return nil, false, nil
	}
	at := slices.IndexFunc(logins, func(t *trust.Trust) bool { return t.ID == out.Trust })
	if at < 0 || current == nil {
		return nil, true, &problem{Top: statusResponder, Second: statusFailed, Reason: trust.ReasonLoginRequired, Detail: "the sign-in is over already", Trust: out.Trust}
	}
	who := signedInWith(current, logins[at])
	switch {
	case who == nil:
		return nil, true, &problem{Top: statusResponder, Second: statusFailed, Reason: trust.ReasonLoginRequired, Detail: "the sign-in is over already", Trust: out.Trust}
	case !c.strong(who):
		return nil, true, &problem{Top: statusResponder, Second: statusNoContext, Reason: trust.ReasonLoginRequired, Detail: "the sign-in is not of the class that was asked for", Trust: out.Trust}
	}
	return who, true, nil
}

func signedInWith(current *session.Session, office *trust.Trust) *identity {
	who, ok := current.Identity(office.ID)
	if !ok {
		return nil
	}
	return &identity{Identity: who, Office: office, Session: current.ID}
}

// suitable is who of the session would do: of several, who signed in last. Nobody, if the person is to sign in anew.
func (c *call) suitable(logins []*trust.Trust, current *session.Session) (best *identity) {
	if current == nil || c.asked.Force {
		return nil
	}
	for _, t := range logins {
		who := signedInWith(current, t)
		if who == nil || !c.strong(who) || c.started.After(t.ClaimsUntil(&who.Subject)) {
			continue
		}
		if best == nil || who.SignedIn.After(best.SignedIn) {
			best = who
		}
	}
	return best
}

// strong says whether the class is one of those asked for.
func (c *call) strong(who *identity) bool {
	return len(c.asked.Classes) == 0 || slices.Contains(c.asked.Classes, classUnspecified) || slices.Contains(c.asked.Classes, who.Subject.ACR)
}

// login is what broker/authflow is asked for. A person who gives up comes back to us, and we tell the application.
func (c *call) login(self string) *authflow.Request {
	out := &authflow.Request{
		Client: c.client.ID, ClientName: c.client.Title(), Ask: upstream.Ask{Force: c.asked.Force, ACRValues: c.asked.Classes}, Return: self,
	}
	if len(self) <= maxCancel {
		out.Cancel = self + "&login=cancelled"
	}
	return out
}

// issue makes the Response, remembers the application for the end of the session, and records both before anybody hears of them.
func (e *Endpoint) issue(ctx context.Context, c *call, who *identity, d *trust.Decision) (next, error) {
	name, p := e.nameID(c, who, d)
	if p != nil {
		return next{}, p
	}
	sid := trust.SID(who.Session, c.client.ID)
	a := assertion{
		name: name, attributes: d.IdentityClaims, session: sid, class: who.Subject.ACR, at: who.Subject.AuthTime,
		until: who.Until, expires: earlier(c.started.Add(assertionLife), d.Expires),
	}
	if a.at.IsZero() {
		a.at = who.SignedIn
	}
	document, id, err := e.success(c, a)
	if err != nil {
		return next{}, unavailable(trust.ReasonKeysUnavailable, "the Response could not be made", err)
	}
	err = e.Families.Attend(ctx, family.SignIn{
		Subject: who.Subject, Client: c.client.ID, Session: who.Session, SID: sid, NameID: &family.NameID{Format: name.format, Value: name.value},
	})
	if err != nil {
		return next{}, unavailable(trust.ReasonStore, "the application could not be remembered", err)
	}
	ev := c.event
	ev.Event, ev.IssuedID, ev.Expires, ev.Rules = audit.EventIssued, id, a.expires, d.Rules
	ev.Audiences = []string{c.client.Spec.App.SAML.EntityID}
	for claim := range d.IdentityClaims {
		ev.Granted = append(ev.Granted, claim)
	}
	slices.Sort(ev.Granted)
	if err := e.Audit.Record(ctx, &ev); err != nil {
		return next{}, unavailable(trust.ReasonAudit, "the audit record could not be written", err)
	}
	return next{Response: document}, nil
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}
