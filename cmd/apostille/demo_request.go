package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
)

// request is one HTTP request of the story: shown to people as curl, sent as it is by the script. Its values may name the
// story's variables as $NAME, as a shell does.
type request struct {
	url          string
	user, secret string      // HTTP Basic, if there is a user
	bearer       string      // Authorization: Bearer
	post         bool        // POST; a form makes it one too
	form         [][2]string // in this order
}

// reply is what came back: of a request, or of a command.
type reply struct {
	status int // HTTP status, or exit code
	header http.Header
	body   string
}

// curl is the command line.
func (r request) curl() string {
	lines := []string{"curl -s " + r.url}
	if r.post && len(r.form) == 0 {
		lines[0] = "curl -s -X POST " + r.url
	}
	if r.user != "" {
		lines = append(lines, "-u "+r.user+":"+r.secret)
	}
	if r.bearer != "" {
		lines = append(lines, `-H "Authorization: Bearer `+r.bearer+`"`)
	}
	for _, pair := range r.form {
		lines = append(lines, "-d "+pair[0]+"="+quoted(pair[1]))
	}
	return strings.Join(lines, " \\\n     ")
}

// quoted protects from the shell what it would take apart.
func quoted(value string) string {
	if strings.ContainsAny(value, " $") {
		return `"` + value + `"`
	}
	return value
}

// send sends the request.
func (r request) send(ctx context.Context, client *http.Client, variables map[string]string) (reply, error) {
	fill := func(s string) string { return os.Expand(s, func(name string) string { return variables[name] }) }
	form := url.Values{}
	for _, pair := range r.form {
		form.Add(pair[0], fill(pair[1]))
	}
	method := http.MethodGet
	if r.post || len(form) > 0 {
		method = http.MethodPost
	}
	ask, err := http.NewRequestWithContext(ctx, method, r.url, strings.NewReader(form.Encode()))
	if err != nil {
		return reply{}, err
	}
	if len(form) > 0 {
		ask.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	if r.user != "" {
		ask.SetBasicAuth(r.user, r.secret)
	}
	if r.bearer != "" {
		ask.Header.Set("Authorization", "Bearer "+fill(r.bearer))
	}
	res, err := client.Do(ask)
	if err != nil {
		return reply{}, err
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(res.Body) // the client caps it
	if err != nil {
		return reply{}, fmt.Errorf("reading the answer: %w", err)
	}
	return reply{status: res.StatusCode, header: res.Header, body: strings.TrimSpace(string(body))}, nil
}
