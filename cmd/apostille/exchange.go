package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"

	"apostille/broker/oauth"
	"apostille/trust"

	"github.com/spf13/cobra"
)

// tokenRequest is what exchange asks a token endpoint for.
type tokenRequest struct {
	tokenURL, issuer string
	caFile           string
	clientID         string
	secretFile       string
	grant            string
	token, tokenType string
	requestedType    string
	audiences        []string
	resources        []string
	scopes           []string
}

func (a *app) exchangeCommand() *cobra.Command {
	q := &tokenRequest{}
	cmd := &cobra.Command{
		Use:   "exchange",
		Short: "Ask a token endpoint for a token: the client side, for scripts",
		Long: `Sends one token request (RFC 8693 unless --grant says otherwise) and prints the access token alone, or with --output json the whole
answer. The client secret comes from --client-secret-file or from APOSTILLE_CLIENT_SECRET, never from the command line. https
only; http for loopback. Exit 3 if the server refuses, 4 if it cannot be reached or cannot answer now.`,
		Example: `  apostille exchange --issuer https://id.west.hmart.example --client-id warehouse-portal --client-secret-file secret \
      --subject-token @token.jwt --audience warehouse --scope stock.read
  apostille exchange --token-url http://localhost:8080/oauth2/token --subject-token - --audience warehouse < token.jwt
  apostille exchange --issuer https://id.west.hmart.example --grant client_credentials --client-id ddstore --output json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.exchange(cmd.Context(), q) },
	}
	f := cmd.Flags()
	f.StringVar(&q.tokenURL, "token-url", "", "token endpoint")
	f.StringVar(&q.issuer, "issuer", "", "issuer whose discovery document names the token endpoint; instead of --token-url")
	f.StringVar(&q.caFile, "ca-file", "", "PEM file of private TLS roots")
	f.StringVar(&q.clientID, "client-id", "", "client to authenticate as (default: no authentication)")
	f.StringVar(&q.secretFile, "client-secret-file", "", "file with the client secret, - for standard input (default: $APOSTILLE_CLIENT_SECRET)")
	f.StringVar(&q.grant, "grant", string(trust.GrantTokenExchange), "token_exchange, jwt_bearer, saml2_bearer or client_credentials")
	f.StringVar(&q.token, "subject-token", "", "token to exchange (for jwt_bearer and saml2_bearer: the assertion): @FILE, - for standard input, or text; an assertion also as XML")
	f.StringVar(&q.tokenType, "subject-token-type", "jwt", "jwt, id_token, access_token, saml2, or the URN")
	f.StringVar(&q.requestedType, "requested-token-type", "", "access_token, jwt, or the URN (default: the server's choice)")
	f.StringArrayVar(&q.audiences, "audience", nil, "API by ID or audience (repeatable)")
	f.StringArrayVar(&q.resources, "resource", nil, "API by URI (repeatable)")
	f.StringArrayVar(&q.scopes, "scope", nil, "scopes, separated by spaces (repeatable)")
	return cmd
}

func (a *app) exchange(ctx context.Context, q *tokenRequest) error {
	form, err := a.tokenForm(q)
	if err != nil {
		return err
	}
	secret, err := a.clientSecret(q.secretFile)
	switch {
	case err != nil:
		return err
	case q.clientID == "" && q.secretFile != "":
		return usage("--client-secret-file without --client-id")
	case q.clientID != "" && secret == "":
		return usage("client %s has no secret here: give --client-secret-file, or set APOSTILLE_CLIENT_SECRET", q.clientID)
	}
	client, err := newTokenClient(q.caFile)
	if err != nil {
		return err
	}
	endpoint := q.tokenURL
	switch {
	case (q.tokenURL == "") == (q.issuer == ""):
		return usage("say where to ask: exactly one of --token-url and --issuer")
	case q.issuer != "":
		if endpoint, err = client.tokenEndpoint(ctx, q.issuer); err != nil {
			return err
		}
	}
	return a.showAnswer(client.post(ctx, endpoint, form, q.clientID, secret))
}

// tokenForm builds the parameters of the request.
func (a *app) tokenForm(q *tokenRequest) (url.Values, error) {
	grant := trust.Grant(q.grant)
	form := url.Values{"grant_type": {oauth.GrantType(grant)}}
	switch {
	case oauth.GrantType(grant) == "":
		return nil, usage("--grant must be token_exchange, jwt_bearer, saml2_bearer or client_credentials, not %q", q.grant)
	case grant == trust.GrantClientCredentials && q.token != "":
		return nil, usage("--grant client_credentials takes no --subject-token: the client is the subject")
	case grant != trust.GrantClientCredentials && q.token == "":
		return nil, usage("--subject-token is missing: give @FILE, - for standard input, or the text itself")
	}
	if q.token != "" {
		token, err := a.credential(q.token)
		if err != nil {
			return nil, err
		}
		if takesAssertion(grant) {
			form.Set("assertion", token)
		} else {
			form.Set("subject_token", token)
			form.Set("subject_token_type", tokenTypeURN(q.tokenType))
		}
	}
	if q.requestedType != "" {
		form.Set("requested_token_type", tokenTypeURN(q.requestedType))
	}
	for name, values := range map[string][]string{"audience": q.audiences, "resource": q.resources} {
		for _, v := range values {
			form.Add(name, v)
		}
	}
	if len(q.scopes) > 0 {
		form.Set("scope", joinWords(q.scopes))
	}
	return form, nil
}

// showAnswer prints the token, or says why there is none.
func (a *app) showAnswer(answer *tokenAnswer, err error) error {
	if err != nil {
		return err
	}
	if answer.status == http.StatusOK && answer.AccessToken != "" {
		return a.print(json.RawMessage(answer.body), func(w io.Writer) { fmt.Fprintln(w, answer.AccessToken) })
	}
	if a.output == "json" && answer.Error != "" {
		if err := a.print(json.RawMessage(answer.body), nil); err != nil {
			return err
		}
	}
	return answer.refusal()
}
