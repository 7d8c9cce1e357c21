package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"apostille/exchange"
	"apostille/trust"
)

// explanation is an exchange.Explanation as it is printed.
type explanation struct {
	Verdict   exchange.Verdict `json:"verdict"`
	Reason    trust.Reason     `json:"reason,omitempty"`
	Detail    string           `json:"detail,omitempty"`
	Grant     trust.Grant      `json:"grant"`
	Client    string           `json:"client"` // "" = unauthenticated
	Keys      string           `json:"keys"`   // where they came from
	Signature string           `json:"signature"`
	Standing  string           `json:"standing"`
	Checks    []checkView      `json:"checks"`
	Steps     []stepView       `json:"steps"`
	Subject   *subjectView     `json:"subject,omitempty"`
	Scopes    *narrowing       `json:"scopes,omitempty"`
	Token     *tokenView       `json:"token,omitempty"` // what would be issued
	Remedies  []string         `json:"remedies"`
}

type checkView struct {
	Name   string `json:"name"`
	OK     bool   `json:"ok"`
	Detail string `json:"detail"`
}

type stepView struct {
	Rule string `json:"rule,omitempty"`
	checkView
}

type subjectView struct {
	Sub    string   `json:"sub"`
	Trust  string   `json:"trust"`
	Origin string   `json:"origin"`
	Issuer string   `json:"issuer"`
	Kind   string   `json:"kind"`
	Value  string   `json:"value"`
	Scopes []string `json:"scopes"` // its own
}

type narrowing struct {
	Requested []string `json:"requested"` // empty: the rules' defaults
	Granted   []string `json:"granted"`
	Dropped   []string `json:"dropped"`
}

type tokenView struct {
	Audience []string       `json:"audience"`
	ClientID string         `json:"client_id"`
	Rules    []string       `json:"rules"`
	Format   string         `json:"format"` // jwt, opaque, saml2
	Alg      string         `json:"alg"`
	Typ      string         `json:"typ"`
	Expires  time.Time      `json:"expires"`
	Claims   map[string]any `json:"claims,omitempty"` // mapped
	OneTime  bool           `json:"one_time"`         // the subject token's jti would be used up
}

func viewOf(x exchange.Explanation, q exchange.Query, supply keySupply, store bool) explanation {
	v := explanation{
		Verdict: x.Verdict, Reason: x.Reason, Detail: x.Detail, Grant: q.Grant, Client: q.Client,
		Keys: supply.source, Signature: signatureWord(x, q), Standing: "no store: the subject counts as not blocked",
		Checks: []checkView{}, Steps: []stepView{}, Remedies: append([]string{}, x.Remedies...),
	}
	if store {
		v.Standing = "from the store"
	}
	for _, c := range x.Checks {
		v.Checks = append(v.Checks, checkView(c))
	}
	for _, s := range x.Decision.Steps {
		v.Steps = append(v.Steps, stepView{s.Rule, checkView{s.Name, s.OK, s.Detail}})
	}
	if s := x.Subject; s.Sub != "" {
		v.Subject = &subjectView{s.Sub, s.Trust, s.Origin, s.Issuer, s.Kind, s.Value, append([]string{}, s.Scopes...)}
	}
	if d := x.Decision; d.Granted {
		v.Scopes = narrowed(q.Params.Scopes(), d.Scopes)
		v.Token = &tokenView{d.Audience, d.ClientID, d.Rules, d.Token.Format, d.Token.Alg, d.Token.Typ, d.Expires.UTC(), d.Claims, x.Subject.OneTime}
	}
	return v
}

func narrowed(requested, granted []string) *narrowing {
	n := &narrowing{Requested: append([]string{}, requested...), Granted: append([]string{}, granted...), Dropped: []string{}}
	for _, s := range requested {
		if !slices.Contains(granted, s) {
			n.Dropped = append(n.Dropped, s)
		}
	}
	return n
}

func signatureWord(x exchange.Explanation, q exchange.Query) string {
	switch {
	case q.Grant == trust.GrantClientCredentials:
		return "none: the client is the subject"
	case x.Unchecked != "":
		return "not checked: " + x.Unchecked + " (--online asks the upstream, --jwks FILE gives them)"
	case x.SignatureChecked, slices.ContainsFunc(x.Checks, func(c trust.Check) bool { return c.Name == "signature" && c.OK }):
		return "checked" // of an assertion before all else
	case len(x.Checks) > 0 && x.Checks[len(x.Checks)-1].Name == "signature":
		return "does not hold: " + x.Checks[len(x.Checks)-1].Detail
	}
	return "not reached"
}

func (v explanation) write(w io.Writer) {
	fmt.Fprintln(w, "verdict:", v.Verdict)
	if v.Reason != "" {
		fmt.Fprintf(w, "reason:  %s: %s\n", v.Reason, printable(v.Detail))
	}
	who := v.Client
	if who == "" {
		who = "nobody authenticated"
	}
	fmt.Fprintf(w, "asked:   by %s, grant %s\nkeys:    %s\nsignature: %s\n", printable(who), v.Grant, v.Keys, printable(v.Signature))
	fmt.Fprintln(w, "\nverify: whose credential is it")
	v.writeChecks(w)
	if s := v.Subject; s != nil {
		fmt.Fprintf(w, "  subject %s = %s %s of %s, through trust %s\n", s.Sub, printable(s.Kind), printable(s.Value), printable(s.Issuer), s.Trust)
	}
	if len(v.Steps) > 0 {
		fmt.Fprintf(w, "\ndecide: what is it worth here (standing: %s)\n", v.Standing)
		v.writeSteps(w)
	}
	v.writeToken(w)
	if len(v.Remedies) > 0 {
		title := "what would have to change"
		if v.Reason == "" {
			title = "what would have to change for more"
		}
		fmt.Fprintf(w, "\n%s\n", title)
	}
	for _, r := range v.Remedies {
		fmt.Fprintln(w, "  -", printable(r))
	}
}

func (v explanation) writeChecks(w io.Writer) {
	var rows [][]string
	for _, c := range v.Checks {
		word := okWord(c.OK)
		if !c.OK && c.Detail == "not checked" {
			word = "??"
		}
		rows = append(rows, []string{"  " + word, c.Name, c.Detail})
	}
	table(w, rows)
}

func (v explanation) writeSteps(w io.Writer) {
	var rows [][]string
	for _, s := range v.Steps {
		at := s.Rule
		if at == "" {
			at = "policy"
		}
		rows = append(rows, []string{"  " + okWord(s.OK), at, s.Name, s.Detail})
	}
	table(w, rows)
}

// form says how the token would look.
func (t *tokenView) form() string {
	switch t.Format {
	case "opaque":
		return "opaque, a handle"
	case trust.FormatSAML2:
		return "SAML 2.0 assertion, " + t.Alg
	}
	return t.Alg + ", typ " + t.Typ
}

func (v explanation) writeToken(w io.Writer) {
	if v.Token == nil {
		return
	}
	t, s := v.Token, v.Scopes
	asked := "nothing: the rules' defaults"
	if len(s.Requested) > 0 {
		asked = strings.Join(s.Requested, " ")
	}
	rows := [][]string{
		{"  scopes asked for", asked}, {"  scopes dropped", strings.Join(s.Dropped, " ")}, {"  scope", strings.Join(s.Granted, " ")},
		{"  aud", strings.Join(t.Audience, " ")}, {"  client_id", t.ClientID}, {"  exp", stamp(t.Expires)},
		{"  form", t.form()}, {"  by rules", strings.Join(t.Rules, " ")},
	}
	for _, name := range sortedKeys(t.Claims) {
		rows = append(rows, []string{"  " + name, fmt.Sprint(t.Claims[name])})
	}
	if t.OneTime {
		rows = append(rows, []string{"  one time", "the server takes the token's jti once; whether it was used already is not looked up here"})
	}
	fmt.Fprintln(w, "\nissue: the token that would come of it")
	table(w, rows)
}
