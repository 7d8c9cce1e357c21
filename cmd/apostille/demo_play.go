package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"
)

// playStory runs the steps and prints their answers. It ends at the first that is not as told.
func playStory(ctx context.Context, a *app, c *cast) error {
	printCast(a.stdout, c)
	variables := map[string]string{}
	steps := story(c.urls, c.configFile)
	for i, s := range steps {
		fmt.Fprintf(a.stdout, "\n%d. %s\n%s\n", i+1, s.title, indented(s.text("apostille")))
		got, err := s.play(ctx, c, variables)
		if err == nil {
			fmt.Fprintf(a.stdout, "%s\n", indented(got.text()))
			err = s.check(got)
		}
		if err != nil {
			return fmt.Errorf("step %d (%s) is not as told (%s): %w", i+1, s.name, s.told, err)
		}
		fmt.Fprintf(a.stdout, "   as told: %s\n", s.told)
		if s.keep != "" {
			variables[s.keep] = tokenOf(got.body)
		}
	}
	fmt.Fprintf(a.stdout, "\nAll %d steps are as told.\n", len(steps))
	return nil
}

func (s *step) play(ctx context.Context, c *cast, variables map[string]string) (reply, error) {
	if s.command == nil {
		return s.request.send(ctx, c.http, variables)
	}
	var out bytes.Buffer
	stdin := strings.NewReader(os.Expand(s.stdin, func(name string) string { return variables[name] }))
	code := run(ctx, s.command, stdin, &out, &out)
	return reply{status: code, body: strings.TrimSpace(out.String())}, nil
}

// text is what people type. program is how they call this one.
func (s *step) text(program string) string {
	text := s.request.curl()
	if s.command != nil {
		text = `echo "` + s.stdin + `" | ` + program + " " + strings.Join(s.command, " ")
	}
	if s.keep != "" {
		text = s.keep + "=$(" + text + " | token)"
	}
	return "$ " + text
}

// printStory tells people what to type.
func printStory(w io.Writer, c *cast) {
	printCast(w, c)
	program, err := os.Executable()
	if err != nil {
		program = "apostille"
	}
	fmt.Fprintf(w, "\nCopy this into another terminal first; it takes the token out of an answer:\n%s\n", indented(tokenFunction))
	for i, s := range story(c.urls, c.configFile) {
		fmt.Fprintf(w, "\n%d. %s (%s)\n%s\n", i+1, s.title, s.told, indented(strings.TrimPrefix(s.text(program), "$ ")))
	}
	fmt.Fprintf(w, "\nThen edit %s: the broker takes it up within two seconds.\nCtrl-C ends the demo and removes the folder.\n", c.configFile)
}

const tokenFunction = `token() { sed -n 's/.*"access_token": *"\([^"]*\)".*/\1/p'; }`

// printCast prints who plays, and the broker's configuration.
func printCast(w io.Writer, c *cast) {
	fmt.Fprintf(w, `Everything here runs in this process, on loopback. All parties but the broker are %s.

  head office   %s   an identity provider
  region West   %s   another, of the region's own people
  region East   %s   a third, which speaks SAML
  broker West   %s   the same as "apostille serve"
  portal        %s   the region's application
  orders        %s   somebody else's application
  warehouse     %s   an API that accepts the broker's tokens only
  DDStore       %s   a partner's inventory system

In a browser: open the portal, sign in, pick the head office and be Alice (or pick region West, and be Wendy, or region East, and be Esra); ask the warehouse for stock.
Then open the orders: no office is asked for, only whether you allow it. %s/account shows both. Sign out at one, and both are out.

The broker's configuration, %s:

`, demoNotice, c.urls.HeadOffice, c.urls.Region, c.urls.East, c.urls.Broker, c.urls.Portal, c.urls.Orders, c.urls.Warehouse, c.urls.DDStore, c.urls.Broker, c.configFile)
	text, err := os.ReadFile(c.configFile)
	if err != nil {
		text = []byte(err.Error())
	}
	fmt.Fprintln(w, indented(strings.TrimSpace(string(text))))
}

// compactJWT finds tokens, which would fill the screen.
var compactJWT = regexp.MustCompile(`eyJ[\w-]+\.[\w-]+\.[\w-]+`)

// text is the answer as people see it: status, what the challenge says, body, tokens cut short.
func (r reply) text() string {
	head := fmt.Sprintf("exit code %d", r.status)
	if r.header != nil {
		head = fmt.Sprintf("HTTP %d", r.status)
	}
	return head + "\n" + compactJWT.ReplaceAllStringFunc(r.body, func(token string) string {
		return token[:6] + "…"
	})
}

func tokenOf(body string) string {
	var answer struct {
		AccessToken string `json:"access_token"`
	}
	_ = json.Unmarshal([]byte(body), &answer) // it was checked to be JSON
	return answer.AccessToken
}

func indented(text string) string { return "   " + strings.ReplaceAll(text, "\n", "\n   ") }
