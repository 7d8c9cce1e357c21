package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"
)

// tokenWait bounds one request of the exchange command.
const tokenWait = 30 * time.Second

// tokenClient talks to a token endpoint as its own user's program: it may reach private addresses, follows no redirect (RFC 6749
// §3.2 requests carry secrets) and keeps to https beyond loopback.
type tokenClient struct{ http *http.Client }

func newTokenClient(caFile string) (*tokenClient, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if caFile != "" {
		pem, err := readLimited(caFile)
		if err != nil {
			return nil, usage("--ca-file: %w", err)
		}
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(pem) {
			return nil, usage("--ca-file %s holds no PEM certificate", caFile)
		}
	}
	dialer := &net.Dialer{}
	return &tokenClient{&http.Client{
		Timeout:       tokenWait,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{
			Proxy:             http.ProxyFromEnvironment,
			TLSClientConfig:   config,
			DisableKeepAlives: true,
			DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
				// RFC 6761 §6.3: names under localhost are loopback, whatever the resolver thinks of them.
				if host, port, err := net.SplitHostPort(address); err == nil && strings.HasSuffix(host, ".localhost") {
					address = net.JoinHostPort("127.0.0.1", port)
				}
				return dialer.DialContext(ctx, network, address)
			},
		},
	}}, nil
}

// checkEndpoint refuses where a secret or a token must not go.
func checkEndpoint(raw string) error {
	u, err := url.Parse(raw)
	switch {
	case err != nil || u.Host == "":
		return usage("%q is not a URL: write https://host/path", raw)
	case u.User != nil:
		return usage("the URL carries a user or a password: use --client-id and --client-secret-file")
	case u.Scheme == "https":
		return nil
	case u.Scheme == "http" && loopbackHost(u.Hostname()):
		return nil
	}
	return usage("%s is not https: http is for loopback only, because tokens and secrets would travel in the clear", raw)
}

func loopbackHost(host string) bool {
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.IsLoopback()
}

// tokenEndpoint asks an issuer where its token endpoint is. RFC 8414 §3.3: the document's issuer is exactly the one asked for.
func (c *tokenClient) tokenEndpoint(ctx context.Context, issuer string) (string, error) {
	if err := checkEndpoint(issuer); err != nil {
		return "", err
	}
	at := strings.TrimSuffix(issuer, "/") + "/.well-known/openid-configuration"
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, at, nil)
	if err != nil {
		return "", usage("--issuer %q is not a URL", issuer)
	}
	status, body, err := c.do(request)
	if err != nil {
		return "", err
	}
	var doc struct {
		Issuer        string `json:"issuer"`
		TokenEndpoint string `json:"token_endpoint"`
	}
	switch err := json.Unmarshal(body, &doc); {
	case status != http.StatusOK || err != nil:
		return "", &exit{exitReach, fmt.Errorf("%s answers %d and no discovery document: is this the issuer, exactly?", at, status)}
	case doc.Issuer != issuer:
		return "", &exit{exitFailure, fmt.Errorf("%s names the issuer %q, and %q was asked for, byte for byte", at, printable(doc.Issuer), issuer)}
	case doc.TokenEndpoint == "":
		return "", &exit{exitFailure, fmt.Errorf("%s names no token_endpoint", at)}
	}
	return doc.TokenEndpoint, nil
}

// tokenAnswer is what came back.
type tokenAnswer struct {
	status      int
	body        []byte
	AccessToken string `json:"access_token"`
	Error       string `json:"error"`
	Description string `json:"error_description"`
}

// post sends the form. The client authenticates by client_secret_basic; both parts are form-encoded first (RFC 6749 §2.3.1).
func (c *tokenClient) post(ctx context.Context, endpoint string, form url.Values, id, secret string) (*tokenAnswer, error) {
	if err := checkEndpoint(endpoint); err != nil {
		return nil, err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, endpoint, strings.NewReader(form.Encode()))
	if err != nil {
		return nil, usage("--token-url %q is not a URL", endpoint)
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.Header.Set("Accept", "application/json")
	if id != "" {
		request.SetBasicAuth(url.QueryEscape(id), url.QueryEscape(secret))
	}
	answer := &tokenAnswer{}
	if answer.status, answer.body, err = c.do(request); err != nil {
		return nil, err
	}
	// RFC 6749 §A.12: a token is printable ASCII. Anything else would be obeyed by a terminal, or break a header.
	odd := func(r rune) bool { return r < 0x20 || r > 0x7e }
	if json.Unmarshal(answer.body, answer) != nil || strings.ContainsFunc(answer.AccessToken, odd) {
		*answer = tokenAnswer{status: answer.status} // whatever stands there is no token and no error
	}
	return answer, nil
}

func (c *tokenClient) do(r *http.Request) (int, []byte, error) {
	r.Header.Set("User-Agent", "apostille-exchange")
	response, err := c.http.Do(r)
	if err != nil {
		var wrapped *url.Error
		if errors.As(err, &wrapped) {
			err = wrapped.Err // without the URL, which is told already
		}
		return 0, nil, &exit{exitReach, fmt.Errorf("%s://%s cannot be reached: %w", r.URL.Scheme, r.URL.Host, err)}
	}
	defer response.Body.Close()
	body, err := limited(response.Body)
	if err != nil {
		return 0, nil, &exit{exitReach, fmt.Errorf("the answer of %s was cut short: %w", r.URL.Host, err)}
	}
	return response.StatusCode, body, nil
}

// refusal says why there is no token, as far as the server says.
func (t *tokenAnswer) refusal() error {
	switch {
	case t.status == http.StatusTooManyRequests || t.status == http.StatusBadGateway ||
		t.status == http.StatusServiceUnavailable || t.status == http.StatusGatewayTimeout:
		return &exit{exitReach, fmt.Errorf("the server cannot answer now (%d): %s", t.status, t.words())}
	case t.Error != "" && t.status < http.StatusInternalServerError:
		return &exit{exitRefused, fmt.Errorf("refused: %s", t.words())}
	}
	return &exit{exitFailure, fmt.Errorf("expected a token response, got %d: %s", t.status, t.words())}
}

func (t *tokenAnswer) words() string {
	switch {
	case t.Error == "":
		return "no JSON answer of a token endpoint; is the URL right?"
	case t.Description == "":
		return printable(t.Error)
	}
	return printable(t.Error + ": " + t.Description)
}
