package oidc

import (
	"errors"
	"net/url"
	"strings"
	"testing"
	"time"

	"apostille/trust"
	"apostille/trust/jose"
	"apostille/upstream"
	"apostille/upstream/fake"
)

const evil = "https://evil.example"

// bend is a set of login faults under a name.
type bend struct {
	faults fake.LoginFaults
	reason trust.Reason // "" = a twin that must pass
}

func idClaims(pairs ...any) fake.LoginFaults {
	m := map[string]any{}
	for i := 0; i < len(pairs); i += 2 {
		m[pairs[i].(string)] = pairs[i+1]
	}
	return fake.LoginFaults{IDToken: m}
}

func minted(opts ...fake.MintOption) fake.LoginFaults { return fake.LoginFaults{Mint: opts} }

// run signs in with each fault, and again after it was repaired: that is the twin of every row.
func run(t *testing.T, table map[string]bend, a arrangement) {
	t.Helper()
	for name, tc := range table {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := meet(t, a)
			m.op.Break(fake.Faults{Login: tc.faults})
			got, err := m.signIn(t)
			if r := why(t, err); r != tc.reason {
				t.Errorf("reason %q (%v), want %q", r, err, tc.reason)
			}
			if err != nil && (got.Subject.Sub != "" || got.Subject.Claims != nil || got.IDToken != "") {
				t.Errorf("a refused login says who: %+v", got)
			}
			m.op.Repair()
			if _, err := m.signIn(t); err != nil {
				t.Errorf("after the repair: %v", err)
			}
		})
	}
}

func TestA63_A64_TheIDTokenIsForUsAlone(t *testing.T) {
	t.Parallel()
	run(t, map[string]bend{
		"no aud":                                {idClaims("aud", nil), trust.ReasonAudience},
		"an empty aud":                          {idClaims("aud", []string{}), trust.ReasonAudience},
		"another client's aud":                  {idClaims("aud", "canteen"), trust.ReasonAudience},
		"an aud that begins with our client ID": {idClaims("aud", clientID+"2"), trust.ReasonAudience},
		"an aud of the wrong type":              {idClaims("aud", 7), trust.ReasonClaim},
		"an aud that holds a number":            {idClaims("aud", []any{clientID, 7}), trust.ReasonClaim},
		"ours and another's aud, no azp":        {idClaims("aud", []string{clientID, "canteen"}), trust.ReasonAudience},
		"ours and another's aud, azp theirs":    {idClaims("aud", []string{clientID, "canteen"}, "azp", "canteen"), trust.ReasonParty},
		"a foreign azp":                         {idClaims("azp", "canteen"), trust.ReasonParty},
		"an empty azp":                          {idClaims("azp", ""), trust.ReasonParty},
		"an azp of the wrong type":              {idClaims("azp", []string{clientID}), trust.ReasonClaim},
		"ours twice is ours":                    {idClaims("aud", []string{clientID, clientID}), ""},
		"ours in a list is ours":                {idClaims("aud", []string{clientID}, "azp", clientID), ""},
		"ours beside others, azp ours, is ours": {idClaims("aud", []string{"platform", clientID}, "azp", clientID), ""},
	}, arrangement{})
}

func TestA66_A68_TheIssuerIsExact(t *testing.T) {
	t.Parallel()
	run(t, map[string]bend{
		"no iss":                {idClaims("iss", nil), trust.ReasonIssuerUnknown},
		"another iss":           {idClaims("iss", evil), trust.ReasonIssuerUnknown},
		"an iss of a number":    {idClaims("iss", 1), trust.ReasonClaim},
		"the iss of the broker": {idClaims("iss", us), trust.ReasonIssuerUnknown},
	}, arrangement{})
	m := meet(t, arrangement{})
	for _, variant := range []string{m.op.Issuer() + "/", strings.ToUpper(m.op.Issuer()), m.op.Issuer() + "/tenant", strings.Replace(m.op.Issuer(), "127.0.0.1", "localhost", 1)} {
		m.op.Break(fake.Faults{Login: idClaims("iss", variant)})
		if _, err := m.signIn(t); why(t, err) != trust.ReasonIssuerUnknown {
			t.Errorf("%s: %v", variant, err)
		}
	}
}

func TestA60_ATokenOfAnotherKindIsNoIDToken(t *testing.T) {
	t.Parallel()
	run(t, map[string]bend{
		"an access token's typ":           {minted(fake.Typ("at+jwt")), trust.ReasonType},
		"a logout token's typ":            {minted(fake.Typ("logout+jwt")), trust.ReasonType},
		"a client assertion's typ":        {minted(fake.Typ("client-authentication+jwt")), trust.ReasonType},
		"a userinfo answer's typ":         {minted(fake.Typ("token-introspection+jwt")), trust.ReasonType},
		"a logout token's events":         {idClaims("events", map[string]any{fake.LogoutEvent: map[string]any{}}), trust.ReasonType},
		"a DPoP proof's claims":           {idClaims("htm", "POST", "htu", evil), trust.ReasonType},
		"no nonce, as in an access token": {idClaims("nonce", nil), trust.ReasonLoginState},
		"no typ is an ID token":           {minted(fake.Typ("")), ""},
		"scopes beside the nonce are one": {idClaims("scope", "openid"), ""},
	}, arrangement{})
}

func TestA45_TheAlgorithmIsOneOfOurs(t *testing.T) {
	t.Parallel()
	other := fake.NewKey(jose.ES256)
	run(t, map[string]bend{
		"none":                     {minted(fake.Header("alg", "none"), fake.SignWith(func([]byte) []byte { return nil })), trust.ReasonMalformed},
		"none with a signature":    {minted(fake.Header("alg", "none")), trust.ReasonAlgorithm},
		"HS256":                    {minted(fake.Header("alg", "HS256")), trust.ReasonAlgorithm},
		"another key":              {minted(fake.By(other, jose.ES256)), trust.ReasonSignature},
		"a key nobody published":   {minted(fake.Kid("unheard-of")), trust.ReasonKeyUnknown},
		"an algorithm not listed":  {minted(fake.By(fake.NewKey(jose.EdDSA), jose.EdDSA)), trust.ReasonAlgorithm},
		"a header we do not read":  {minted(fake.Header("jku", evil)), trust.ReasonHeader},
		"a critical header member": {minted(fake.Header("crit", []string{"b64"})), trust.ReasonHeader},
	}, arrangement{cfg: func(c *LoginConfig) { c.Algs = []jose.Alg{jose.ES256} }})
}

func TestTheIDTokenIsOfThisLogin(t *testing.T) {
	t.Parallel()
	run(t, map[string]bend{
		"another nonce":              {idClaims("nonce", "another"), trust.ReasonLoginState},
		"an empty nonce":             {idClaims("nonce", ""), trust.ReasonLoginState},
		"a nonce of the wrong type":  {idClaims("nonce", 5), trust.ReasonClaim},
		"another token's at_hash":    {idClaims("at_hash", "AAAAAAAAAAAAAAAAAAAAAA"), trust.ReasonClaim},
		"an at_hash of a number":     {idClaims("at_hash", 5), trust.ReasonClaim},
		"another code's c_hash":      {idClaims("c_hash", "AAAAAAAAAAAAAAAAAAAAAA"), trust.ReasonClaim},
		"another state's s_hash":     {idClaims("s_hash", "AAAAAAAAAAAAAAAAAAAAAA"), trust.ReasonClaim},
		"our state's s_hash":         {idClaims("s_hash", halfHash(jose.ES256, "state-1")), ""},
		"no at_hash, which may lack": {idClaims("at_hash", nil), ""},
	}, arrangement{})
	m := meet(t, arrangement{})
	first := m.leave(t)
	second := m.leave(t)
	second.Secret = first.Secret
	if _, err := m.finish(t, second); why(t, err) != trust.ReasonUpstreamError {
		t.Errorf("the verifier of another login: %v", err)
	}
	for _, secret := range []string{"", "{}", `{"n":"n","v":"v"}`, string(second.Secret[1:]), string(second.Secret) + "x"} {
		first.Secret = []byte(secret)
		if _, err := m.finish(t, first); why(t, err) != trust.ReasonLoginState {
			t.Errorf("secret %q: %v", secret, err)
		}
	}
}

func TestTheIDTokensTimesAndSubject(t *testing.T) {
	t.Parallel()
	at := func(d time.Duration) int64 { return epoch.Add(d).Unix() }
	run(t, map[string]bend{
		"expired beyond the skew":     {idClaims("exp", at(-61*time.Second)), trust.ReasonExpired},
		"expired within the skew":     {idClaims("exp", at(-59*time.Second)), ""},
		"no exp":                      {idClaims("exp", nil), trust.ReasonTime},
		"an exp of text":              {idClaims("exp", "2040"), trust.ReasonTime},
		"no iat":                      {idClaims("iat", nil), trust.ReasonTime},
		"an iat of tomorrow":          {idClaims("iat", at(24*time.Hour)), trust.ReasonNotYetValid},
		"an iat within the skew":      {idClaims("iat", at(59*time.Second)), ""},
		"an iat of yesterday":         {idClaims("iat", at(-24*time.Hour)), trust.ReasonTooOld},
		"an nbf of tomorrow":          {idClaims("nbf", at(24*time.Hour)), trust.ReasonNotYetValid},
		"an auth_time of text":        {idClaims("auth_time", "now"), trust.ReasonTime},
		"an auth_time of a list":      {fake.LoginFaults{IDToken: map[string]any{"auth_time": []int{1}}}, trust.ReasonTime},
		"an auth_time of tomorrow":    {idClaims("auth_time", at(24*time.Hour)), trust.ReasonNotYetValid},
		"no sub":                      {idClaims("sub", nil), trust.ReasonSubject},
		"an empty sub":                {idClaims("sub", ""), trust.ReasonSubject},
		"a sub of a number":           {idClaims("sub", 42), trust.ReasonSubject},
		"a sub with a line break":     {idClaims("sub", "a\nb"), trust.ReasonSubject},
		"a sub that is far too long":  {idClaims("sub", strings.Repeat("a", 1025)), trust.ReasonSubject},
		"an acr of a list":            {idClaims("acr", []string{"urn:fake:mfa"}), trust.ReasonClaim},
		"a sid of a number":           {idClaims("sid", 1), trust.ReasonClaim},
		"an empty sid":                {idClaims("sid", ""), trust.ReasonClaim},
		"a sid that is far too long":  {idClaims("sid", strings.Repeat("a", 257)), trust.ReasonClaim},
		"no sid, acr, auth_time, jti": {idClaims("sid", nil, "acr", nil, "auth_time", nil, "jti", nil), ""},
	}, arrangement{})
}

func TestA51_ACaseVariantOfAClaimIsRefused(t *testing.T) {
	t.Parallel()
	run(t, map[string]bend{
		"SUB":   {idClaims("SUB", "admin"), trust.ReasonMalformed},
		"Nonce": {idClaims("Nonce", "x"), trust.ReasonMalformed},
	}, arrangement{})
}

func TestA65_TheAnswerNamesItsIssuer(t *testing.T) {
	t.Parallel()
	run(t, map[string]bend{
		"another upstream's iss":    {fake.LoginFaults{Answer: map[string]any{"iss": evil}}, trust.ReasonLoginState},
		"an iss with a slash":       {fake.LoginFaults{Answer: map[string]any{"iss": "http://127.0.0.1/"}}, trust.ReasonLoginState},
		"an empty iss":              {fake.LoginFaults{Answer: map[string]any{"iss": ""}}, trust.ReasonLoginState},
		"no iss, though advertised": {fake.LoginFaults{Answer: map[string]any{"iss": nil}}, trust.ReasonLoginState},
		"an error of another iss":   {fake.LoginFaults{Error: "access_denied", Answer: map[string]any{"iss": evil}}, trust.ReasonLoginState},
		"no code":                   {fake.LoginFaults{Answer: map[string]any{"code": nil}}, trust.ReasonRequest},
	}, arrangement{})
	run(t, map[string]bend{
		"an iss that was not advertised is compared all the same": {fake.LoginFaults{Answer: map[string]any{"iss": evil}}, trust.ReasonLoginState},
		"no iss where none was advertised":                        {fake.LoginFaults{}, ""},
	}, arrangement{op: fake.Options{NoIss: true}})

	m := meet(t, arrangement{})
	a := m.leave(t)
	a.Params["code"] = append(a.Params["code"], "another")
	if _, err := m.finish(t, a); why(t, err) != trust.ReasonRequest {
		t.Errorf("a repeated parameter: %v", err)
	}
}

func TestAnUpstreamsErrorsAreToldByTheirCodesOnly(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		faults fake.LoginFaults
		code   string
	}{
		"the person cancelled":           {fake.LoginFaults{Error: "access_denied"}, "access_denied"},
		"the upstream wants a login":     {fake.LoginFaults{Error: "login_required"}, "login_required"},
		"a code of their own":            {fake.LoginFaults{Error: "AADSTS50105"}, ""},
		"a code that is markup":          {fake.LoginFaults{Error: "<script>"}, ""},
		"the code was not taken":         {fake.LoginFaults{TokenError: "invalid_grant"}, "invalid_grant"},
		"our credentials were not taken": {fake.LoginFaults{TokenError: "invalid_client"}, "invalid_client"},
		"a token error of their own":     {fake.LoginFaults{TokenError: "ora-0600"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := meet(t, arrangement{})
			m.op.Break(fake.Faults{Login: tc.faults})
			a := m.leave(t)
			_, err := m.finish(t, a)
			var e *upstream.Error
			if why(t, err, a.Params.Get("code"), "asked for", "<script>", "ora-0600") != trust.ReasonUpstreamError || !errors.As(err, &e) || e.Code != tc.code {
				t.Errorf("%+v", err)
			}
		})
	}
}

func TestTheTokenAnswer(t *testing.T) {
	t.Parallel()
	token := func(pairs ...any) fake.LoginFaults { return fake.LoginFaults{Token: idClaims(pairs...).IDToken} }
	run(t, map[string]bend{
		"no ID token":                      {token("id_token", nil), trust.ReasonMalformed},
		"an ID token of a number":          {token("id_token", 1), trust.ReasonUpstreamError},
		"an ID token that is none":         {token("id_token", "a.b.c"), trust.ReasonMalformed},
		"an ID token of 20 KB":             {idClaims("padding", strings.Repeat("a", 20<<10)), trust.ReasonTooLarge},
		"no access token":                  {token("access_token", nil), trust.ReasonUpstreamError},
		"an access token of another kind":  {token("token_type", "DPoP"), trust.ReasonUpstreamError},
		"another case of Bearer is Bearer": {token("token_type", "bearer"), ""},
		"an answer that is far too large":  {token("padding", strings.Repeat("a", maxAnswer)), trust.ReasonUpstreamDown},
	}, arrangement{})
	for name, f := range map[string]fake.Faults{
		"500":        {Status500: true},
		"no answer":  {Down: true},
		"a redirect": {RedirectTo: "/token2"},
	} {
		m := meet(t, arrangement{})
		a := m.leave(t)
		f.Only = fake.PathToken
		m.op.Break(f)
		if _, err := m.finish(t, a); why(t, err, a.Params.Get("code")) != trust.ReasonUpstreamDown {
			t.Errorf("%s: %v", name, err)
		}
		if m.op.Requests("other") != 0 {
			t.Errorf("%s: the form was sent on", name)
		}
	}
	for name, f := range map[string]fake.Faults{"HTML": {HTML: true}, "half a document": {Truncated: true}} {
		m := meet(t, arrangement{})
		a := m.leave(t)
		f.Only = fake.PathToken
		m.op.Break(f)
		if _, err := m.finish(t, a); why(t, err) != trust.ReasonUpstreamError {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestAFreshLoginIsFresh(t *testing.T) {
	t.Parallel()
	at := func(d time.Duration) fake.LoginFaults { return idClaims("auth_time", epoch.Add(d).Unix()) }
	force := upstream.Ask{Force: true}
	within := upstream.Ask{HasMaxAge: true, MaxAge: 10 * time.Minute}
	for name, tc := range map[string]struct {
		ask    upstream.Ask
		faults fake.LoginFaults
		reason trust.Reason
	}{
		"forced and done":                       {force, fake.LoginFaults{}, ""},
		"forced, with a clock that is behind":   {force, at(-59 * time.Second), ""},
		"forced, and an older login":            {force, at(-61 * time.Second), trust.ReasonLoginRequired},
		"forced, and no auth_time":              {force, idClaims("auth_time", nil), trust.ReasonLoginRequired},
		"forced, and an auth_time of 0":         {force, idClaims("auth_time", 0), trust.ReasonLoginRequired},
		"a recent one is recent":                {within, at(-10 * time.Minute), ""},
		"an old one is not":                     {within, at(-12 * time.Minute), trust.ReasonLoginRequired},
		"a recent one without auth_time":        {within, idClaims("auth_time", nil), trust.ReasonLoginRequired},
		"max_age 0 and an old one":              {upstream.Ask{HasMaxAge: true}, at(-2 * time.Minute), trust.ReasonLoginRequired},
		"a negative max_age is 0":               {upstream.Ask{HasMaxAge: true, MaxAge: -time.Hour}, at(0), ""},
		"nothing asked, an old one will do":     {upstream.Ask{}, at(-48 * time.Hour), ""},
		"nothing asked, no auth_time will do":   {upstream.Ask{}, idClaims("auth_time", nil), ""},
		"nothing asked, auth_time of 0 is none": {upstream.Ask{}, idClaims("auth_time", 0), ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := meet(t, arrangement{})
			m.op.Break(fake.Faults{Login: tc.faults})
			m.ask = tc.ask
			got, err := m.signIn(t)
			if r := why(t, err); r != tc.reason {
				t.Fatalf("reason %q (%v), want %q", r, err, tc.reason)
			}
			if v, given := tc.faults.IDToken["auth_time"]; given && (v == nil || v == 0) && !got.Subject.AuthTime.IsZero() {
				t.Errorf("auth_time %v", got.Subject.AuthTime)
			}
		})
	}
}

func TestSingleSignOnAtTheUpstreamKeepsItsAuthTime(t *testing.T) {
	t.Parallel()
	m := meet(t, arrangement{})
	if _, err := m.signIn(t); err != nil {
		t.Fatal(err)
	}
	m.later(20 * time.Minute)
	again, err := m.signIn(t)
	if err != nil || !again.Subject.AuthTime.Equal(epoch) || !again.Subject.IssuedAt.Equal(m.clock()) {
		t.Errorf("%v, %+v", err, again.Subject)
	}
	m.ask = upstream.Ask{Force: true, ACRValues: []string{"strong"}}
	forced, err := m.signIn(t)
	if err != nil || !forced.Subject.AuthTime.Equal(m.clock()) || forced.Subject.ACR != "strong" {
		t.Errorf("%v, %+v", err, forced.Subject)
	}
}

func TestAnACRThatTheTableDoesNotListIsDropped(t *testing.T) {
	t.Parallel()
	m := meet(t, arrangement{})
	m.op.Break(fake.Faults{Login: idClaims("acr", "urn:theirs:god-mode")})
	if got, err := m.signIn(t); err != nil || got.Subject.ACR != "" {
		t.Errorf("%q, %v", got.Subject.ACR, err)
	}
}

func TestThePersonCancels(t *testing.T) {
	t.Parallel()
	m := meet(t, arrangement{})
	s, err := m.Begin(t.Context(), m.trust, "s", callback, upstream.Ask{})
	if err != nil {
		t.Fatal(err)
	}
	page, err := m.browser.Open(s.URL)
	if err == nil {
		page, err = m.browser.SignIn(page, "")
	}
	if err != nil {
		t.Fatal(err)
	}
	var e *upstream.Error
	_, err = m.finish(t, upstream.Answer{Secret: s.Secret, Params: page.URL.Query()})
	if !errors.As(err, &e) || e.Code != "access_denied" {
		t.Error(err)
	}
	_, err = m.finish(t, upstream.Answer{Secret: s.Secret, Params: url.Values{}})
	if why(t, err) != trust.ReasonLoginState {
		t.Errorf("an empty answer: %v", err)
	}
}
