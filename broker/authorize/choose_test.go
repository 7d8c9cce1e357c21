package authorize

import (
	"errors"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"apostille/broker/authflow"
	"apostille/trust"
)

// Who answers, with which sessions and which wishes. want: "" = a login is begun, "!code" = an error, else the sub.
func TestWhoAnswers(t *testing.T) {
	t.Parallel()
	type person struct {
		trust, sub string
		ago        time.Duration
	}
	ada, bob := person{"hq", "ada", time.Hour}, person{"west", "bob", time.Minute}
	for _, c := range []struct {
		name   string
		people []person
		set    []string
		want   string
	}{
		{"nobody is signed in: a login", nil, nil, ""},
		{"oidcc-prompt-none-not-logged-in", nil, []string{"prompt", "none"}, "!login_required"},
		{"one identity answers", []person{ada}, nil, "ada"},
		{"oidcc-prompt-none-logged-in", []person{ada}, []string{"prompt", "none"}, "ada"},
		{"of two the latest", []person{ada, bob}, nil, "bob"},
		{"of two, with prompt none, nobody is picked", []person{ada, bob}, []string{"prompt", "none"}, "!account_selection_required"},
		{"of two the one that login_hint names", []person{ada, bob}, []string{"login_hint", "ADA@hq.example"}, "ada"},
		{"login_hint decides with prompt none as well", []person{ada, bob}, []string{"login_hint", "ada@hq.example", "prompt", "none"}, "ada"},
		{"idp_hint by ID", []person{ada, bob}, []string{"idp_hint", "hq"}, "ada"},
		{"idp_hint by issuer", []person{ada, bob}, []string{"idp_hint", "https://hq.example"}, "ada"},
		{"idp_hint to an office without identity: a login there", []person{bob}, []string{"idp_hint", "hq"}, ""},
		{"and with prompt none an error", []person{bob}, []string{"idp_hint", "hq", "prompt", "none"}, "!login_required"},
		{"idp_hint to nowhere is no hint", []person{bob}, []string{"idp_hint", "mars"}, "bob"},
		{"oidcc-prompt-login: a login all the same", []person{ada}, []string{"prompt", "login"}, ""},
		{"prompt select_account: a login all the same", []person{ada}, []string{"prompt", "select_account"}, ""},
		{"oidcc-max-age-10000", []person{ada}, []string{"max_age", "10000"}, "ada"},
		{"oidcc-max-age-1", []person{ada}, []string{"max_age", "1"}, ""},
		{"max_age is met to the second", []person{ada}, []string{"max_age", "3600"}, "ada"},
		{"max_age too old with prompt none", []person{ada}, []string{"max_age", "1", "prompt", "none"}, "!login_required"},
		{"max_age 0 is a login always", []person{{"hq", "ada", 0}}, []string{"max_age", "0"}, ""},
		{"of two the one that is fresh enough", []person{ada, bob}, []string{"max_age", "100", "prompt", "none"}, "bob"},
		{"A96 claims beyond max_claims_age: a login, however long the session lives", []person{{"hq", "ada", 12 * time.Hour}}, nil, ""},
		{"A96 and with prompt none an error", []person{{"hq", "ada", 12 * time.Hour}}, []string{"prompt", "none"}, "!login_required"},
		{"A96 claims that would be too old when the code is redeemed: a login", []person{{"hq", "ada", 12*time.Hour - 59*time.Second}}, nil, ""},
		{"A96 claims that last until then", []person{{"hq", "ada", 12*time.Hour - time.Minute}}, nil, "ada"},
		{"A96 of two the one whose claims are not too old", []person{{"hq", "ada", 13 * time.Hour}, {"west", "bob", 11 * time.Hour}}, []string{"prompt", "none"}, "bob"},
		{"claims bind the sub", []person{ada, bob}, []string{"claims", `{"id_token":{"sub":{"value":"ada"}}}`}, "ada"},
		{"claims bind the sub to another: a login", []person{ada}, []string{"claims", `{"id_token":{"sub":{"value":"eve"}}}`}, ""},
		{"claims bind the sub to another, prompt none", []person{ada}, []string{"claims", `{"id_token":{"sub":{"values":["eve"]}}}`, "prompt", "none"}, "!login_required"},
		{"an essential acr that is met", []person{ada}, []string{"claims", `{"id_token":{"acr":{"essential":true,"values":["basic","x"]}}}`}, "ada"},
		{"an essential acr that is not met: a login", []person{ada}, []string{"claims", `{"id_token":{"acr":{"essential":true,"value":"strong"}}}`}, ""},
		{"a voluntary acr", []person{ada}, []string{"claims", `{"id_token":{"acr":{"value":"strong"}}}`}, "ada"},
		{"acr_values are voluntary", []person{ada}, []string{"acr_values", "strong"}, "ada"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			for _, p := range c.people {
				b.signIn(t, p.trust, p.sub, p.ago)
			}
			w := b.get(portal(c.set...).Encode())
			switch {
			case c.want == "":
				if b.began == nil || len(b.issued) > 0 {
					t.Fatalf("no login was begun: %d %v", w.Code, w.Header())
				}
			case c.want[0] == '!':
				refused(t, w, portalURI, c.want[1:])
				if b.began != nil || len(b.audit.events)+len(b.sampled.events) > 0 {
					t.Error("an answer that prompt=none asked for began something or was recorded")
				}
			default:
				granted(t, w, portalURI)
				if got := b.issued[0].Subject.Sub; got != c.want {
					t.Errorf("%s answers, wanted %s", got, c.want)
				}
			}
		})
	}
}

func TestAnIdentityOfAnOfficeThatTheApplicationDoesNotTakeIsNotSeen(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.signIn(t, "elsewhere", "eve", 0)
	refused(t, b.get(portal("prompt", "none").Encode()), portalURI, codeLogin)
	refused(t, b.get(good("lonely", portalURI).Encode()), portalURI, codeAccessDenied) // nobody's people may
}

// acr_values never fail a request: a wish that no office could have used to make it too long to be kept.
func TestAnAbsurdWishIsNotPassedOn(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.get(portal("acr_values", "x "+strings.Repeat("<", maxACR+1)+" "+strings.Repeat("y", maxACR)).Encode())
	if want := []string{"x", strings.Repeat("y", maxACR)}; b.began == nil || !slices.Equal(b.began.Ask.ACRValues, want) {
		t.Errorf("asked for %+v", b.began)
	}
}

func TestALoginIsAskedForAsTheRequestSays(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.get(portal("prompt", "login select_account", "max_age", "60", "login_hint", "a@b", "idp_hint", "hq", "acr_values", "x y",
		"ui_locales", "de fr", "utm", "1").Encode())
	q := b.began
	if q == nil {
		t.Fatal("no login was begun")
	}
	if !q.Ask.Force || !q.Ask.Select || !q.Select || !q.Ask.HasMaxAge || q.Ask.MaxAge != time.Minute || q.Hint != "hq" ||
		q.LoginHint != "a@b" || !slices.Equal(q.Ask.ACRValues, []string{"x", "y"}) || !slices.Equal(q.Locales, []string{"de", "fr"}) ||
		!slices.Equal(q.Trusts, []string{"hq", "west"}) || q.Client != "portal" {
		t.Errorf("asked for %+v", q)
	}
	ret, err := url.Parse(q.Return)
	if err != nil || ret.Path != Path || ret.Query().Has("utm") || ret.Query().Get("prompt") != "login select_account" {
		t.Errorf("returns to %s", q.Return)
	}
	refused(t, b.get(q.Cancel[len(Path)+1:]), portalURI, codeAccessDenied)
}

// What comes of the login that was made for the request. OpenID conformance: oidcc-prompt-login, oidcc-max-age-1, oidcc-id-token-hint.
func TestTheResultOfALoginAnswers(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		set    []string
		result authflow.Result
		code   string // "" = ada gets in
	}{
		{"the identity that signed in answers, though another is later", nil, authflow.Result{Trust: "hq"}, ""},
		{"prompt login is met", []string{"prompt", "login"}, authflow.Result{Trust: "hq"}, ""},
		{"prompt select_account is met", []string{"prompt", "select_account"}, authflow.Result{Trust: "hq"}, ""},
		{"max_age was met when it began", []string{"max_age", "1"}, authflow.Result{Trust: "hq"}, ""},
		{"another person than claims want", []string{"claims", `{"id_token":{"sub":{"value":"bob"}}}`}, authflow.Result{Trust: "hq"}, codeLogin},
		{"not the class that must be", []string{"claims", `{"id_token":{"acr":{"essential":true,"value":"strong"}}}`}, authflow.Result{Trust: "hq"}, codeUnmet},
		{"an identity that is over again", nil, authflow.Result{Trust: "gone"}, codeLogin},
		{"an office that did not authenticate anew", []string{"prompt", "login"}, authflow.Result{Refused: trust.ReasonLoginRequired}, codeLogin},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			b.signIn(t, "hq", "ada", time.Hour)
			b.signIn(t, "west", "bob", 0)
			query := portal(c.set...).Encode()
			b.result, b.resultOf = &c.result, Path+"?"+query
			w := b.get(query + "&login=handle")
			if c.code != "" {
				refused(t, w, portalURI, c.code)
				return
			}
			granted(t, w, portalURI)
			if b.issued[0].Subject.Sub != "ada" {
				t.Errorf("%s answers", b.issued[0].Subject.Sub)
			}
			// A second time the result is gone: who must sign in does so again.
			if b.get(query + "&login=handle"); slices.Contains(c.set, "login") && b.began == nil {
				t.Error("prompt=login was met by a login that was used before")
			}
		})
	}
}

func TestA108_AHandleOfAnotherRequestIsWorthNothing(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.signIn(t, "hq", "ada", time.Hour)
	b.result, b.resultOf = &authflow.Result{Trust: "hq"}, Path+"?"+portal().Encode()
	if b.get(portal("prompt", "login").Encode() + "&login=handle"); b.began == nil || len(b.issued) > 0 {
		t.Error("the result of an easier request was taken")
	}
}

func TestAPostComesAgainWithGET(t *testing.T) {
	t.Parallel()
	b := newBench(t) // oidcc-ensure-post-request-succeeds
	b.signIn(t, "hq", "ada", 0)
	w := post(b, Path, portal().Encode())
	if w.Code != 303 || w.Header().Get("Location") != Path+"?"+portal().Encode() || len(b.issued) > 0 {
		t.Fatalf("answered %d to %s", w.Code, w.Header().Get("Location"))
	}
	granted(t, b.get(w.Header().Get("Location")[len(Path)+1:]), portalURI)
	refused(t, post(b, Path, portal("response_type", "").Encode()), portalURI, "invalid_request")
	onErrorPage(t, post(b, Path, portal("client_id", "x").Encode()), 400)
}

func TestAStoreThatDoesNotAnswerIsToldAsSuch(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.fault = errors.New("disk on fire")
	refused(t, b.get(portal().Encode()), portalURI, "temporarily_unavailable")
	b = newBench(t)
	b.signIn(t, "hq", "ada", 0)
	b.codeErr = errors.New("disk on fire")
	refused(t, b.get(portal().Encode()), portalURI, "temporarily_unavailable")
	b.codeErr, b.audit.err = nil, errors.New("no space")
	refused(t, b.get(portal().Encode()), portalURI, "temporarily_unavailable")
	b.audit.err, b.standing = nil, trust.Standing{}
	refused(t, b.get(portal().Encode()), portalURI, "temporarily_unavailable")
	b.standing.Loaded = true
	granted(t, b.get(portal().Encode()), portalURI)
}
