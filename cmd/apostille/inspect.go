package main

import (
	"encoding/json"
	"fmt"
	"io"
	"time"

	"apostille/trust"
	"apostille/trust/jose"

	"github.com/spf13/cobra"
)

func (a *app) inspectCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "inspect [@FILE|-|TEXT]",
		Short: "Decode a token without trusting it",
		Long: `Decodes a JWT, or a SAML assertion (XML or base64), and says NOT VERIFIED: nothing is checked, and anybody can have written it. Prints header and claims as they stand, the
times in words, and the configured trusts whose issuer it names, if there is a configuration. What the broker would not even read
is decoded as far as it goes, with the rule that it breaks. Without an argument the token is read from standard input.`,
		Example: `  apostille inspect @token.jwt
  pbpaste | apostille inspect
  apostille inspect @assertion.xml
  apostille inspect - --output json < token.jwt`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			arg := "-"
			if len(args) == 1 {
				arg = args[0]
			}
			return a.inspect(arg)
		},
	}
}

// inspection is what inspect answers.
type inspection struct {
	Verified  bool            `json:"verified"` // always false
	Form      string          `json:"form"`     // what it looks like
	Broken    string          `json:"broken,omitempty"`
	Header    json.RawMessage `json:"header,omitempty"`
	Claims    json.RawMessage `json:"claims,omitempty"`   // of an assertion, what it says
	Document  string          `json:"document,omitempty"` // of an assertion, itself
	Unread    []string        `json:"unread"`             // parts that could not be decoded, and why
	Signature int             `json:"signature_bytes"`
	Times     []timeWord      `json:"times"`
	Issuer    string          `json:"issuer,omitempty"`
	Trusts    []issuerMatch   `json:"trusts"` // configured with this issuer
	Config    bool            `json:"config"` // a configuration was read
}

// timeWord is a time claim in words.
type timeWord struct {
	Claim string    `json:"claim"`
	Time  time.Time `json:"time"`
	Words string    `json:"words"`
}

// issuerMatch is a trust whose issuer the token names.
type issuerMatch struct {
	ID       string              `json:"id"`
	Disabled bool                `json:"disabled"`
	Takes    map[string][]string `json:"takes"` // type of token → audiences
}

func (a *app) inspect(arg string) error {
	raw, err := a.input(arg, "the token")
	if err != nil {
		return err
	}
	if document := xmlOf(raw); document != "" {
		return a.inspected(inspectXML(document, a.now()))
	}
	found := decodeLoosely(raw)
	if _, err := jose.Parse(raw); err != nil {
		found.Broken = err.Error()
	}
	claims, _ := jose.DecodeObject(found.Claims)
	if claims == nil {
		_ = json.Unmarshal(found.Claims, &claims) // what is not even JSON has no times and no issuer
	}
	found.Times = timesIn(claims, a.now())
	found.Issuer, _ = claims["iss"].(string)
	return a.inspected(found)
}

// inspected adds the trusts of the issuer, and prints.
func (a *app) inspected(found inspection) error {
	cfg, err := a.loadedIfAny()
	if err != nil {
		fmt.Fprintln(a.stderr, "no trusts are named, because the configuration is faulty:", err)
	} else if cfg != nil {
		found.Config, found.Trusts = true, matches(cfg.Registry, found.Issuer)
	}
	return a.print(found, found.write)
}

// matches lists the trusts of an issuer, disabled ones too.
func matches(reg *trust.Registry, issuer string) []issuerMatch {
	out := []issuerMatch{}
	for _, id := range reg.TrustIDs() {
		t, _ := reg.Trust(id)
		if issuer == "" || t.Spec.Issuer != issuer {
			continue
		}
		out = append(out, issuerMatch{ID: id, Disabled: t.Spec.Disabled, Takes: takes(t)})
	}
	if len(out) == 0 && issuer != "" { // a member of a federation
		for _, t := range reg.ByIssuer(issuer) {
			out = append(out, issuerMatch{ID: t.ID, Takes: takes(t)})
		}
	}
	if issuer != "" && issuer == reg.Issuer() {
		out = append(out, issuerMatch{ID: trust.Local, Takes: map[string][]string{"access_token": {}}})
	}
	return out
}

// takes says which tokens of a trust may be exchanged.
func takes(t *trust.Trust) map[string][]string {
	out := map[string][]string{}
	if t.Spec.JWT != nil {
		out["jwt"] = t.Spec.JWT.Audiences
	}
	if t.Spec.IDToken != nil {
		out["id_token"] = t.Spec.IDToken.Audiences
	}
	if t.Spec.SAML2 != nil {
		out["saml2"] = t.Spec.SAML2.Audiences
	}
	return out
}

// timesIn reads the registered times of a token.
func timesIn(claims map[string]any, now time.Time) []timeWord {
	out := []timeWord{}
	for _, c := range []struct{ name, past, future string }{
		{"iat", "issued", "issued in the future,"}, {"nbf", "valid since", "not valid yet, valid"},
		{"exp", "EXPIRED", "expires"}, {"auth_time", "signed in", "signed in in the future,"},
	} {
		t, ok := jose.NumericDate(number(claims[c.name]))
		if !ok {
			continue
		}
		verb := c.past
		if t.After(now) {
			verb = c.future
		}
		out = append(out, timeWord{c.name, t.UTC(), verb + " " + away(t, now)})
	}
	return out
}

// number turns what plain JSON decoding makes of a number back into one.
func number(v any) any {
	if f, ok := v.(float64); ok {
		return json.Number(fmt.Sprintf("%.0f", f))
	}
	return v
}

func (i inspection) write(w io.Writer) {
	fmt.Fprintln(w, "NOT VERIFIED: nothing below is checked, and anybody can have written it")
	fmt.Fprintf(w, "form: %s\n", i.Form)
	if i.Broken != "" {
		fmt.Fprintf(w, "REFUSED as it stands: %s\n", printable(i.Broken))
	}
	writeJSONPart(w, "header", i.Header)
	writeJSONPart(w, "claims", i.Claims)
	if i.Document != "" {
		fmt.Fprintf(w, "\ndocument\n  %s\n", printableText(i.Document))
	}
	for _, u := range i.Unread {
		fmt.Fprintf(w, "\nnot decoded: %s\n", printable(u))
	}
	if len(i.Times) > 0 {
		fmt.Fprintln(w, "\ntimes")
	}
	var rows [][]string
	for _, t := range i.Times {
		rows = append(rows, []string{"  " + t.Claim, stamp(t.Time), t.Words})
	}
	table(w, rows)
	i.writeTrusts(w)
	fmt.Fprintln(w, "\nNOT VERIFIED. `apostille explain` checks it.")
}

func (i inspection) writeTrusts(w io.Writer) {
	if !i.Config {
		return
	}
	fmt.Fprintln(w, "\ntrusts of its issuer")
	if len(i.Trusts) == 0 {
		fmt.Fprintf(w, "  none: no trust has the issuer %q\n", printable(i.Issuer))
	}
	for _, t := range i.Trusts {
		state := ""
		if t.Disabled {
			state = " (disabled)"
		}
		fmt.Fprintf(w, "  %s%s, takes %s\n", t.ID, state, takesWords(t.Takes))
	}
}
