package samlidp

import (
	"bytes"
	"compress/flate"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"apostille/broker/family"
	"apostille/broker/oauth"
	"apostille/broker/store"
	"apostille/trust"
	"apostille/trust/xmlsec"
)

const (
	leavePurpose = "saml-leave"
	leaveTTL     = 5 * time.Minute // until the browser is back with its cookies; also how old a LogoutRequest may be
	// kindLogout is the store.Replay kind of applications' LogoutRequests.
	kindLogout = "application_logout_request"
)

// leaving is a LogoutRequest that was verified, and waits for the browser's cookies.
type leaving struct {
	Client   string    `json:"c"`
	ID       string    `json:"id"`
	Relay    string    `json:"r,omitempty"`
	Sessions []string  `json:"s"`
	Since    time.Time `json:"t"`
}

// Logout is the single logout service (SAML Profiles 2.0 §4.4). What is not signed by the application is nothing (THREATS A40).
func (e *Endpoint) Logout() http.Handler {
	return e.handler(func(c *call, w http.ResponseWriter, r *http.Request) (next, error) {
		if !e.Limit(e.Remote(r)) {
			return next{}, &problem{Status: http.StatusTooManyRequests, Reason: trust.ReasonRateLimited, Detail: "too many messages from this address"}
		}
		m, p := receive(w, r)
		switch {
		case p != nil:
			return next{}, p
		case m.answer: // to a request in a frame: nobody sees it, and nothing follows from it
			return next{Answer: func() { w.WriteHeader(http.StatusNoContent) }}, nil
		}
		in, err := e.logoutRequest(r.Context(), c, m)
		if err != nil {
			return next{}, err
		}
		plain, err := json.Marshal(in)
		if err != nil {
			return next{}, err
		}
		return next{Self: e.Base + LeavePath + "?r=" + url.QueryEscape(e.Box.Seal(leavePurpose, plain))}, nil
	})
}

// logoutRequest judges one.
func (e *Endpoint) logoutRequest(ctx context.Context, c *call, m *message) (leaving, error) {
	client, app, p := e.sender(c, m)
	if p != nil {
		return leaving{}, p
	}
	root, _, p := m.verified(app, true)
	if p != nil {
		return leaving{}, p
	}
	if !root.Is(samlp("LogoutRequest")) || !root.Spaced() {
		return leaving{}, unreadable("not a LogoutRequest", nil)
	}
	in := leaving{Client: client.ID, Relay: m.relay, Since: c.started}
	if p := in.read(root, e.Issuer+LogoutPath, c.started); p != nil {
		return leaving{}, p
	}
	// Once: one that was overheard must not end a session that began since.
	first, err := e.Replay.Claim(ctx, kindLogout, client.Spec.App.SAML.EntityID, in.ID, c.started.Add(2*leaveTTL))
	switch {
	case err != nil:
		return leaving{}, unavailable(trust.ReasonStore, "a LogoutRequest could not be claimed", err)
	case !first:
		return leaving{}, &problem{Reason: trust.ReasonReplayed, Detail: "a LogoutRequest that was seen before"}
	}
	return in, nil
}

// logoutOrder is that of the schema. An encrypted name is refused: sessions are what counts.
var logoutOrder = []xmlsec.Name{saml("Issuer"), signatureName, samlp("Extensions"), saml("NameID"), samlp("SessionIndex")}

func (in *leaving) read(root *xmlsec.Element, here string, now time.Time) *problem {
	in.ID, _ = root.Attr("ID")
	version, _ := root.Attr("Version")
	to, _ := root.Attr("Destination")
	issued, until := instant(root, "IssueInstant"), instant(root, "NotOnOrAfter")
	_, ends := root.Attr("NotOnOrAfter")
	at := 0
	for child := range root.Children() {
		found := slices.IndexFunc(logoutOrder[at:], child.Is)
		if found < 0 {
			return unreadable("an element of LogoutRequest that does not belong there, or is out of order", nil)
		}
		if at += found; at < len(logoutOrder)-1 {
			at++ // only SessionIndex may come again
			continue
		}
		index, ok := child.Text()
		if !ok || index == "" || len(index) > maxText || len(in.Sessions) == maxClasses {
			return unreadable("a SessionIndex that is none, or too many", nil)
		}
		in.Sessions = append(in.Sessions, index)
	}
	switch {
	case in.ID == "" || len(in.ID) > maxText || version != "2.0" || issued.IsZero() || ends && until.IsZero():
		return unreadable("ID, Version, IssueInstant or NotOnOrAfter of the LogoutRequest", nil)
	case to != here:
		return &problem{Reason: trust.ReasonRecipient, Detail: "the LogoutRequest is for another Destination"}
	case issued.After(now.Add(trust.Skew)):
		return &problem{Reason: trust.ReasonNotYetValid, Detail: "the LogoutRequest is of the future"}
	case now.Sub(issued) > leaveTTL+trust.Skew || ends && !now.Add(-trust.Skew).Before(until):
		return &problem{Reason: trust.ReasonTooOld, Detail: "the LogoutRequest is of long ago"}
	case len(in.Sessions) == 0: // a NameID alone would end other people's browsers
		return &problem{Reason: trust.ReasonRequest, Detail: "the LogoutRequest names no SessionIndex"}
	}
	return nil
}

// Leave is where a logout goes on: with the browser's cookies, that session ends whose index the application knows.
func (e *Endpoint) Leave() http.Handler {
	return e.handler(func(c *call, w http.ResponseWriter, r *http.Request) (next, error) {
		in, app, err := e.leaving(c, r)
		if err != nil {
			return next{}, err
		}
		current, err := e.Sessions.Current(r)
		if err != nil {
			return next{}, unavailable(trust.ReasonStore, "the session could not be read", err)
		}
		named := current != nil && slices.Contains(in.Sessions, trust.SID(current.ID, in.Client))
		top, second := statusSuccess, ""
		if current != nil && !named { // somebody else's by now, or another browser's
			top, second = statusRequester, statusUnknown
		}
		back, err := e.logoutResponse(app, in, top, second, c.started)
		switch {
		case err != nil:
			return next{}, unavailable(trust.ReasonKeysUnavailable, "a LogoutResponse could not be made", err)
		case named || current == nil && back == "":
			return next{Answer: func() { e.Leaver.Leave(w, r, in.Client, back) }}, nil
		case back == "":
			return next{}, &problem{Reason: trust.ReasonLoginState, Detail: "the LogoutRequest names another session than this browser's"}
		}
		return next{Self: back}, nil
	})
}

// leaving unseals what waits.
func (e *Endpoint) leaving(c *call, r *http.Request) (in leaving, app App, err error) {
	v, bad := oauth.ParseParams(r.URL.RawQuery)
	if bad != nil {
		return in, app, unreadable("the address is not one of ours", bad)
	}
	over := &problem{Reason: trust.ReasonLoginState, Detail: "a logout that is not one of ours, or is over"}
	plain, err := e.Box.Open(leavePurpose, v.Get("r"))
	if err != nil || json.Unmarshal(plain, &in) != nil {
		return in, app, over
	}
	if age := c.started.Sub(in.Since); age > leaveTTL || age < -trust.Skew {
		return in, app, over
	}
	app, ok := e.Apps(in.Client)
	if !ok {
		return in, app, &problem{Reason: trust.ReasonClientUnknown, Detail: "the application is not configured any more"}
	}
	c.event.Client = in.Client
	return in, app, nil
}

// logoutResponse is the address that answers a LogoutRequest; "" = the application has no place for it.
func (e *Endpoint) logoutResponse(app App, in leaving, top, second string, now time.Time) (string, error) {
	if app.LogoutURL == "" {
		return "", nil
	}
	document := fmt.Sprintf(`<samlp:LogoutResponse xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" Destination="%s" ID="%s" InResponseTo="%s" IssueInstant="%s" Version="2.0">`+
		`<saml:Issuer xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion">%s</saml:Issuer>%s</samlp:LogoutResponse>`,
		escaped(app.LogoutURL), newID(), escaped(in.ID), when(now), escaped(e.EntityID()), statusXML(top, second))
	return e.redirect("SAMLResponse", app.LogoutURL, document, in.Relay)
}

// LogoutURL asks an application to sign out: what the browser opens in a frame, while nobody hears whether it did. "" = it is none, or has no
// place to be asked at.
func (e *Endpoint) LogoutURL(f store.Family) string {
	app, ok := e.Apps(f.Client)
	client, known := e.Registry().Client(f.Client)
	if !ok || !known || app.LogoutURL == "" || client.Spec.App == nil || client.Spec.App.SAML == nil {
		return ""
	}
	kept, err := family.Read(f)
	if err != nil || kept.NameID == nil {
		return ""
	}
	now := e.Now()
	document := fmt.Sprintf(`<samlp:LogoutRequest xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" Destination="%[1]s" ID="%[2]s" IssueInstant="%[3]s" NotOnOrAfter="%[4]s" Version="2.0">`+
		`<saml:Issuer xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion">%[5]s</saml:Issuer>`+
		`<saml:NameID xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" Format="%[6]s" NameQualifier="%[5]s" SPNameQualifier="%[7]s">%[8]s</saml:NameID>`+
		`<samlp:SessionIndex>%[9]s</samlp:SessionIndex></samlp:LogoutRequest>`,
		escaped(app.LogoutURL), newID(), when(now), when(now.Add(leaveTTL)), escaped(e.EntityID()),
		escaped(kept.NameID.Format), escaped(client.Spec.App.SAML.EntityID), escaped(kept.NameID.Value), escaped(f.SID))
	link, err := e.redirect("SAMLRequest", app.LogoutURL, document, "")
	if err != nil {
		e.Log.Error("a LogoutRequest could not be made", "client", f.Client, "error", err)
		return ""
	}
	return link
}

// redirect signs a message of the redirect binding.
func (e *Endpoint) redirect(parameter, to, document, relay string) (string, error) {
	key, err := e.key()
	if err != nil {
		return "", err
	}
	var deflated bytes.Buffer
	w, err := flate.NewWriter(&deflated, flate.DefaultCompression)
	if err == nil {
		_, err = w.Write([]byte(document))
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		return "", err
	}
	query, err := xmlsec.SignQuery(parameter, deflated.Bytes(), relay, key.Key)
	separator := "?"
	if strings.Contains(to, "?") {
		separator = "&"
	}
	return to + separator + query, err
}
