package main

import (
	"fmt"
	"net/url"
	"strings"
)

// exchangeForm is what every exchange of a run has in common.
type exchangeForm struct {
	client, secret string
	audience       string // of the issued token
	scope          string
	tokenType      string // of the subject tokens; "" = JWT
	network        string // "a.b.c": requests come, as a proxy of ours says, from 100 addresses of it; "" = from this machine
}

// requests makes one whole HTTP/1.1 exchange request for each subject token.
func (f exchangeForm) requests(host string, tokens []string) [][]byte {
	form := url.Values{
		"grant_type":         {"urn:ietf:params:oauth:grant-type:token-exchange"},
		"subject_token_type": {"urn:ietf:params:oauth:token-type:jwt"},
		"client_id":          {f.client},
		"client_secret":      {f.secret},
		"audience":           {f.audience},
		"scope":              {f.scope},
	}
	if f.tokenType != "" {
		form.Set("subject_token_type", f.tokenType)
	}
	out := make([][]byte, len(tokens))
	for i, token := range tokens {
		form.Set("subject_token", token)
		forwarded := ""
		if f.network != "" {
			forwarded = fmt.Sprintf("X-Forwarded-For: %s.%d\r\n", f.network, 1+i%100)
		}
		out[i] = post(host, "/oauth2/token", forwarded, form.Encode())
	}
	return out
}

// post makes a POST of a form; headers are whole lines.
func post(host, path, headers, body string) []byte {
	return fmt.Appendf(nil, "POST %s HTTP/1.1\r\nHost: %s\r\n%sContent-Type: application/x-www-form-urlencoded\r\n"+
		"Content-Length: %d\r\n\r\n%s", path, host, headers, len(body), body)
}

func get(host, path string) []byte {
	return fmt.Appendf(nil, "GET %s HTTP/1.1\r\nHost: %s\r\n\r\n", path, host)
}

// nonEmptyLines splits a file of one token a line.
func nonEmptyLines(text string) []string { return strings.Fields(text) }
