package samlidp

import (
	"crypto"
	"encoding/json"
	"net/url"
	"strings"
	"testing"
	"time"

	"apostille/broker/family"
	"apostille/broker/store"
	"apostille/trust"
	"apostille/trust/xmlsec"
)

func index(of string) string { return "<samlp:SessionIndex>" + of + "</samlp:SessionIndex>" }

func TestAnApplicationEndsTheSessionThatItKnows(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	mine := trust.SID("session-1", "wiki")
	for n, send := range []func(id string) string{
		func(id string) string {
			return get(b.Logout(), LogoutPath+"?"+signedQuery(t, logoutOf(noon, id, issuer+LogoutPath, index("other")+index(mine)), "r&1", wikiKey())).Header().Get("Location")
		},
		func(id string) string {
			return post(b.Logout(), LogoutPath, signedForm(t, logoutOf(noon, id, issuer+LogoutPath, index(mine)), "r&1", wikiKey())).Header().Get("Location")
		},
	} {
		b.signIn(t, "hq", "sub-1")
		self := send("_l" + string(rune('a'+n)))
		if !strings.HasPrefix(self, LeavePath+"?r=") || b.session == nil {
			t.Fatalf("sent to %q", self)
		}
		get(b.Endpoint.Leave(), self)
		if len(b.left) != n+1 || b.session != nil {
			t.Fatalf("left %v", b.left)
		}
		client, back, _ := strings.Cut(b.left[n], " ")
		u, err := url.Parse(back)
		if err != nil || client != "wiki" || !strings.HasPrefix(back, slo+"&") {
			t.Fatalf("back to %q", back)
		}
		q, err := xmlsec.ParseQuery(u.RawQuery)
		if err != nil {
			t.Fatal(err)
		}
		if err := q.Verify([]crypto.PublicKey{ourKey().Public()}); err != nil || q.RelayState != "r&1" || q.Parameter != "SAMLResponse" {
			t.Errorf("%v %+v", err, q)
		}
		if got := status(t, q); got != "Success" {
			t.Error(got)
		}
	}
}

func status(t *testing.T, q xmlsec.Query) string {
	t.Helper()
	document, err := inflate(q.Message)
	if err != nil {
		t.Fatal(err)
	}
	root, err := xmlsec.Parse(document)
	if err != nil {
		t.Fatal(err)
	}
	return statusOf(root)
}

func TestA40_ALogoutThatProvesNothingEndsNothing(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.signIn(t, "hq", "sub-1")
	b.app.SignedRequests = false // of sign-ins: a logout has to be signed all the same
	mine, here := index(trust.SID("session-1", "wiki")), issuer+LogoutPath
	for name, c := range map[string]struct {
		query  string
		status int
	}{
		"not signed":                {"SAMLRequest=" + url.QueryEscape(encode(deflated(logoutOf(noon, "_l", here, mine)))), 403},
		"signed by somebody else":   {signedQuery(t, logoutOf(noon, "_l", here, mine), "", evilKey()), 403},
		"for another place":         {signedQuery(t, logoutOf(noon, "_l", issuer+SSOPath, mine), "", wikiKey()), 400},
		"of long ago":               {signedQuery(t, logoutOf(noon.Add(-7*time.Minute), "_l", here, mine), "", wikiKey()), 400},
		"of the future":             {signedQuery(t, logoutOf(noon.Add(2*time.Minute), "_l", here, mine), "", wikiKey()), 400},
		"without a session":         {signedQuery(t, logoutOf(noon, "_l", here, ""), "", wikiKey()), 400},
		"an AuthnRequest":           {signedQuery(t, strings.Replace(authn(noon, "", ""), SSOPath, LogoutPath, 1), "", wikiKey()), 400},
		"an index of something odd": {signedQuery(t, logoutOf(noon, "_l", here, "<samlp:SessionIndex><x></x></samlp:SessionIndex>"), "", wikiKey()), 400},
	} {
		onPage(t, name, get(b.Logout(), LogoutPath+"?"+c.query), c.status)
	}
	other := get(b.Endpoint.Leave(), get(b.Logout(), LogoutPath+"?"+signedQuery(t, logoutOf(noon, "_foreign", here, index("foreign")), "", wikiKey())).Header().Get("Location"))
	u, err := url.Parse(other.Header().Get("Location"))
	if err != nil {
		t.Fatal(err)
	}
	if q, err := xmlsec.ParseQuery(u.RawQuery); err != nil || status(t, q) != "Requester UnknownPrincipal" {
		t.Errorf("another session's index: %v %q", err, other.Header().Get("Location"))
	}
	if len(b.left) > 0 || b.session == nil {
		t.Fatalf("somebody left: %v", b.left)
	}
	// The twin, and that twin again: once it has counted it is over.
	query := signedQuery(t, logoutOf(noon, "_once", here, mine), "", wikiKey())
	self := get(b.Logout(), LogoutPath+"?"+query).Header().Get("Location")
	onPage(t, "seen before", get(b.Logout(), LogoutPath+"?"+query), 400)
	onPage(t, "not sealed by us", get(b.Endpoint.Leave(), LeavePath+"?r=x"), 400)
	if get(b.Endpoint.Leave(), self); len(b.left) != 1 {
		t.Error("the twin ended nothing")
	}
	if w := get(b.Logout(), LogoutPath+"?"+strings.Replace(query, "SAMLRequest", "SAMLResponse", 1)); w.Code != 204 {
		t.Errorf("an answer to a frame of ours: %d", w.Code)
	}
}

// An application without a place of its own for logouts gets no answer, and nobody else's session ends for that.
func TestWithoutAPlaceToAnswerNobodyElseIsSignedOut(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.app.LogoutURL = ""
	b.signIn(t, "hq", "sub-1")
	self := get(b.Logout(), LogoutPath+"?"+signedQuery(t, logoutOf(noon, "_l", issuer+LogoutPath, index("foreign")), "", wikiKey())).Header().Get("Location")
	onPage(t, "another session", get(b.Endpoint.Leave(), self), 400)
	if len(b.left) > 0 || b.session == nil {
		t.Error("it ended a session that it does not know")
	}
}

func TestApplicationsAreAskedToSignOut(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	value, err := json.Marshal(map[string]any{"login": json.RawMessage(login(t)), "client": "wiki", "name_id": family.NameID{Format: formatEmail, Value: "ada@hq.example"}})
	if err != nil {
		t.Fatal(err)
	}
	link := b.LogoutURL(store.Family{Client: "wiki", SID: "the-sid", Subject: value, Until: noon.Add(time.Hour)})
	u, err := url.Parse(link)
	if err != nil || !strings.HasPrefix(link, slo+"&") {
		t.Fatalf("%q", link)
	}
	q, err := xmlsec.ParseQuery(u.RawQuery)
	if err != nil {
		t.Fatal(err)
	}
	if err := q.Verify([]crypto.PublicKey{ourKey().Public()}); err != nil {
		t.Error(err)
	}
	document, err := inflate(q.Message)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`Destination="` + escaped(slo) + `"`, `Format="` + formatEmail + `"`, `SPNameQualifier="` + wikiID + `"`, ">ada@hq.example</saml:NameID>", "<samlp:SessionIndex>the-sid<", "<samlp:LogoutRequest "} {
		if !strings.Contains(string(document), want) {
			t.Errorf("no %s in %s", want, document)
		}
	}
	if got := b.LogoutURL(store.Family{Client: "portal", SID: "x", Subject: value}); got != "" {
		t.Errorf("an application that speaks something else: %q", got)
	}
	b.app.LogoutURL = ""
	if got := b.LogoutURL(store.Family{Client: "wiki", SID: "x", Subject: value}); got != "" {
		t.Errorf("one that has no place: %q", got)
	}
}

func login(t *testing.T) []byte {
	t.Helper()
	value, err := trust.EncodeLogin(trust.Subject{Credential: trust.CredentialLogin, SignedIn: true, Trust: "hq", Origin: "hq", Sub: "s", Issuer: "https://hq.example", IssuedAt: noon, Expires: noon.Add(time.Hour)})
	if err != nil {
		t.Fatal(err)
	}
	return value
}
