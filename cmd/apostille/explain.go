package main

import (
	"context"
	"encoding/base64"
	"errors"
	"strings"
	"time"

	"apostille/broker/config"
	"apostille/broker/oauth"
	"apostille/broker/store"
	"apostille/exchange"
	"apostille/trust"

	"github.com/spf13/cobra"
)

// asked is what explain is to explain.
type asked struct {
	client          string
	unauthenticated bool
	grant           string
	token           string // as given: @FILE, - or text
	tokenType       string
	audiences       []string
	resources       []string
	scopes          []string
	jwks            string
	online          bool
	at              momentFlag
}

func (a *app) explainCommand() *cobra.Command {
	q := &asked{at: momentFlag{now: a.now}}
	cmd := &cobra.Command{
		Use:   "explain",
		Short: "Say whether a token would be exchanged, for what, and why (not)",
		Long: `Runs the same verification and the same decision as the server, on this machine, and issues nothing. Prints each check, each rule with
its verdict, how the scopes are narrowed and, when refused, what would have to change.

Keys come from the configuration's files and from the last good sets in the store; --online asks the upstreams, --jwks FILE takes
them from a file. Without keys the signature is not checked, and the verdict says so. The client counts as authenticated.
Exit 3 if refused, 4 if --online could not have the keys.`,
		Example: `  apostille explain --client warehouse-portal --subject-token @token.jwt --audience warehouse --scope stock.read
  apostille explain --client warehouse-portal --subject-token @assertion.xml --subject-token-type saml2 --audience warehouse
  apostille explain --unauthenticated --subject-token - --online < token.jwt
  apostille explain --client ddstore --grant client_credentials --audience warehouse
  apostille explain --client warehouse-portal --subject-token @token.jwt --at 2026-01-31T12:00:00Z --output json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.explain(cmd.Context(), q) },
	}
	f := cmd.Flags()
	f.StringVar(&q.client, "client", "", "client that asks")
	f.BoolVar(&q.unauthenticated, "unauthenticated", false, "nobody authenticates: the token is the credential")
	f.StringVar(&q.grant, "grant", string(trust.GrantTokenExchange), "token_exchange, jwt_bearer, saml2_bearer or client_credentials")
	f.StringVar(&q.token, "subject-token", "", "the foreign token (for jwt_bearer and saml2_bearer: the assertion): @FILE, - for standard input, or text; an assertion also as XML")
	f.StringVar(&q.tokenType, "subject-token-type", "jwt", "jwt, id_token, access_token, saml2, or the URN")
	f.StringArrayVar(&q.audiences, "audience", nil, "API by ID or audience (repeatable)")
	f.StringArrayVar(&q.resources, "resource", nil, "API by URI (repeatable)")
	f.StringArrayVar(&q.scopes, "scope", nil, "scopes, separated by spaces (repeatable)")
	f.StringVar(&q.jwks, "jwks", "", "JWK Set file to check the signature with")
	f.BoolVar(&q.online, "online", false, "ask the upstream for its keys")
	f.Var(&q.at, "at", "explain for another moment (default now)")
	return cmd
}

func (a *app) explain(ctx context.Context, q *asked) error {
	query, err := a.query(q)
	if err != nil {
		return err
	}
	cfg, err := a.loaded()
	if err != nil {
		return err
	}
	st, err := a.openToLook(ctx, cfg)
	if err != nil && !errors.Is(err, errNoStore) {
		return err
	}
	if st != nil {
		defer func() { _ = st.Close() }() // it was only read
	}
	marks, err := marksIn(ctx, st)
	if err != nil {
		return err
	}
	supply, err := a.keysAt(cfg, st, q.jwks, q.online)
	if err != nil {
		return err
	}
	x := explained(ctx, cfg, query, supply, marks, a.clock(q.at))
	view := viewOf(x, query, supply, st != nil)
	if err := a.print(view, view.write); err != nil {
		return err
	}
	switch {
	case x.Verdict == exchange.VerdictRefused:
		return &exit{exitRefused, nil}
	case q.online && x.Unchecked != "":
		return &exit{exitReach, errors.New("the signature was to be checked, and the keys could not be had")}
	}
	return nil
}

func explained(ctx context.Context, cfg *config.Config, q exchange.Query, supply keySupply, marks []store.SubjectMark, now func() time.Time) exchange.Explanation {
	e := &exchange.Explainer{
		Verifier: supply.verifierAt(now), Assertions: supply.assertionsAt(now), Unsure: supply.unsure, Now: now,
		Standing: func(sub string) trust.Standing { return standingOf(marks, sub) },
	}
	return e.Explain(ctx, cfg.Registry, q)
}

// clock stands still at a given moment, or goes.
func (a *app) clock(at momentFlag) func() time.Time {
	if at.IsZero() {
		return a.now
	}
	return func() time.Time { return at.Time }
}

func marksIn(ctx context.Context, st storeReader) ([]store.SubjectMark, error) {
	if st == nil {
		return nil, nil
	}
	return st.ListSubjects(ctx)
}

// query reads the flags as the endpoint reads a form.
func (a *app) query(q *asked) (exchange.Query, error) {
	out := exchange.Query{Grant: trust.Grant(q.grant), Client: q.client}
	switch {
	case oauth.GrantType(out.Grant) == "":
		return out, usage("--grant must be token_exchange, jwt_bearer, saml2_bearer or client_credentials, not %q", q.grant)
	case (q.client == "") == !q.unauthenticated:
		return out, usage("say who asks: exactly one of --client ID and --unauthenticated")
	case out.Grant == trust.GrantClientCredentials && q.token != "":
		return out, usage("--grant client_credentials takes no --subject-token: the client is the subject")
	case out.Grant != trust.GrantClientCredentials && q.token == "":
		return out, usage("--subject-token is missing: give @FILE, - for standard input, or the text itself")
	}
	pairs := []string{"scope", strings.Join(q.scopes, " ")}
	for _, v := range q.audiences {
		pairs = append(pairs, "audience", v)
	}
	for _, v := range q.resources {
		pairs = append(pairs, "resource", v)
	}
	if q.token != "" {
		token, err := a.credential(q.token)
		if err != nil {
			return out, err
		}
		if takesAssertion(out.Grant) {
			pairs = append(pairs, "assertion", token)
		} else {
			pairs = append(pairs, "subject_token", token, "subject_token_type", tokenTypeURN(q.tokenType))
		}
	}
	out.Params = oauth.ParamsOf(pairs...)
	return out, nil
}

// takesAssertion says whether a grant has its credential in `assertion` (RFC 7521 §4.1).
func takesAssertion(g trust.Grant) bool {
	return g == trust.GrantJWTBearer || g == trust.GrantSAML2Bearer
}

// credential reads a token. An assertion may be written as XML: it is encoded as a form carries it.
func (a *app) credential(arg string) (string, error) {
	token, err := a.input(arg, "--subject-token")
	if err == nil && strings.HasPrefix(token, "<") {
		token = base64.RawURLEncoding.EncodeToString([]byte(token))
	}
	return token, err
}

// tokenTypeURN spells a short name of a token type out. Others pass: whoever reads them says what is wrong.
func tokenTypeURN(short string) string {
	switch short {
	case "jwt":
		return oauth.TokenTypeJWT
	case "id_token":
		return oauth.TokenTypeIDToken
	case "access_token":
		return oauth.TokenTypeAccessToken
	case "saml2":
		return oauth.TokenTypeSAML2
	}
	return short
}
