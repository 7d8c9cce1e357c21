package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"apostille/broker/config"
	"apostille/broker/store"
	"apostille/trust"

	"github.com/spf13/cobra"
)

// whom names a subject: by our sub, or by what its trust calls it.
type whom struct{ sub, trust, subject string }

func (w *whom) flags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&w.trust, "trust", "", "trust that the subject comes from; with --subject, instead of SUB")
	cmd.Flags().StringVar(&w.subject, "subject", "", "its name there: the value of the trust's subject claim; for trust local a client_id")
}

// resolve finds our sub. Nobody has to have signed in before: it is derived, not looked up.
func (w *whom) resolve(cfg *config.Config) (string, error) {
	switch {
	case (w.trust == "") != (w.subject == ""):
		return "", usage("--trust and --subject go together")
	case (w.sub == "") == (w.trust == ""):
		return "", usage("name the subject: either SUB, or --trust T --subject V")
	case w.sub != "":
		return w.sub, nil
	case w.trust == trust.Local:
		return trust.ClientSub(w.subject), nil
	}
	t, ok := cfg.Registry.Trust(w.trust)
	if !ok {
		return "", noTrust(w.trust)
	}
	return t.SubOf(w.subject), nil
}

// markView is what admins said of a subject.
type markView struct {
	Sub       string     `json:"sub"`
	Blocked   bool       `json:"blocked"`
	NotBefore *time.Time `json:"not_before,omitempty"`
	Note      string     `json:"note,omitempty"`
	Changed   *time.Time `json:"changed,omitempty"`
}

func viewOfMark(m store.SubjectMark) markView {
	return markView{m.Sub, m.Blocked, given(m.NotBefore), m.Note, given(m.Changed)}
}

// markCommand makes a verb that changes the mark of one subject and keeps the rest of it. change gets the arguments that do
// not name the subject.
func (a *app) markCommand(use, short, long, example string, args int, flags func(*cobra.Command), change func(*store.SubjectMark, []string) error) *cobra.Command {
	var who whom
	cmd := &cobra.Command{
		Use: use, Short: short, Long: long, Example: example, Args: cobra.MaximumNArgs(args),
		RunE: func(cmd *cobra.Command, given []string) error {
			if who.trust == "" && who.subject == "" && len(given) > 0 {
				who.sub, given = given[0], given[1:]
			}
			if len(given) > args-1 {
				return usage("name the subject: either SUB, or --trust T --subject V")
			}
			return a.changeMark(cmd.Context(), who, func(m *store.SubjectMark) error { return change(m, given) })
		},
	}
	who.flags(cmd)
	if flags != nil {
		flags(cmd)
	}
	return cmd
}

func (a *app) changeMark(ctx context.Context, who whom, change func(*store.SubjectMark) error) error {
	return a.withStore(ctx, func(cfg *config.Config, st store.Store) error {
		sub, err := who.resolve(cfg)
		if err != nil {
			return err
		}
		marks, err := st.ListSubjects(ctx)
		if err != nil {
			return err
		}
		mark := store.SubjectMark{Sub: sub}
		for _, m := range marks {
			if m.Sub == sub {
				mark = m
			}
		}
		if err := change(&mark); err != nil {
			return err
		}
		mark.Changed = a.now().UTC()
		if err := st.SetSubject(ctx, mark); err != nil {
			return err
		}
		return a.print(viewOfMark(mark), func(w io.Writer) { fmt.Fprintf(w, "%s: %s\n", printable(sub), markWords(mark)) })
	})
}

func markWords(m store.SubjectMark) string {
	words := "not blocked"
	if m.Blocked {
		words = "blocked"
	}
	if !m.NotBefore.IsZero() {
		words += ", and what was issued before " + stamp(m.NotBefore) + " is refused"
	}
	return words
}
