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
	out := make([][]byte, len(tokens))
	for i, token := range tokens {
		form.Set("subject_token", token)
		out[i] = post(host, "/oauth2/token", form.Encode())
	}
	return out
}

func post(host, path, body string) []byte {
	return fmt.Appendf(nil, "POST %s HTTP/1.1\r\nHost: %s\r\nContent-Type: application/x-www-form-urlencoded\r\n"+
		"Content-Length: %d\r\n\r\n%s", path, host, len(body), body)
}

func get(host, path string) []byte {
	return fmt.Appendf(nil, "GET %s HTTP/1.1\r\nHost: %s\r\n\r\n", path, host)
}

// nonEmptyLines splits a file of one token a line.
func nonEmptyLines(text string) []string { return strings.Fields(text) }
