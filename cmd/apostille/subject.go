package main

import (
	"errors"
	"fmt"
	"io"
	"time"

	"apostille/broker/store"

	"github.com/spf13/cobra"
)

func (a *app) subjectCommand() *cobra.Command {
	return noun("subject", "Block subjects, or refuse their older tokens", `  apostille subject block --trust head-office --subject svc-canteen --note "ticket 4711"
  apostille subject not-before SUB now
  apostille subject list`,
		a.subjectBlockCommand(), a.subjectUnblockCommand(), a.subjectNotBeforeCommand(), a.subjectListCommand())
}

func (a *app) subjectBlockCommand() *cobra.Command {
	var note string
	return a.markCommand("block [SUB]", "Give a subject nothing from now on",
		`Blocks a subject: every grant refuses it, within 2 s on a running server. Tokens issued before live on until they expire, at the APIs
that hold them. SUB is our own subject, as it stands in issued tokens and in the audit record.`,
		`  apostille subject block l3cX… --note "ticket 4711"
  apostille subject block --trust head-office --subject svc-canteen
  apostille subject block --trust local --subject ddstore`, 1,
		func(f *cobra.Command) { f.Flags().StringVar(&note, "note", "", "why, for other admins") },
		func(m *store.SubjectMark, _ []string) error {
			m.Blocked = true
			if note != "" {
				m.Note = note
			}
			return nil
		})
}

func (a *app) subjectUnblockCommand() *cobra.Command {
	return a.markCommand("unblock [SUB]", "Lift a block",
		"Lifts the block of a subject. A bound on the age of its tokens (not-before) stays.",
		"  apostille subject unblock l3cX…\n  apostille subject unblock --trust head-office --subject svc-canteen", 1, nil,
		func(m *store.SubjectMark, _ []string) error {
			m.Blocked = false
			return nil
		})
}

func (a *app) subjectNotBeforeCommand() *cobra.Command {
	return a.markCommand("not-before [SUB] TIME", "Refuse what was issued to a subject before a time",
		`Refuses credentials of a subject that were issued before TIME: RFC 3339, a date, now, or a span ago such as 2d. "none" lifts the
bound.`,
		`  apostille subject not-before l3cX… now
  apostille subject not-before --trust head-office --subject svc-canteen 2026-01-31T12:00:00Z
  apostille subject not-before l3cX… none`, 2, nil,
		func(m *store.SubjectMark, rest []string) error {
			if len(rest) != 1 {
				return usage("TIME is missing: write 2026-01-31T12:00:00Z, 2026-01-31, now, 2d for two days ago, or none")
			}
			if rest[0] == "none" {
				m.NotBefore = time.Time{}
				return nil
			}
			t, err := parseMoment(rest[0], a.now())
			if err != nil {
				return usage("%w", err)
			}
			m.NotBefore = t.UTC()
			return nil
		})
}

func (a *app) subjectListCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "list",
		Short:   "List the subjects that are blocked or bounded",
		Example: "  apostille subject list\n  apostille subject list --output json",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := a.loaded()
			if err != nil {
				return err
			}
			st, err := a.openToLook(cmd.Context(), cfg)
			if err != nil {
				return err
			}
			marks, err := st.ListSubjects(cmd.Context())
			if err := errors.Join(err, st.Close()); err != nil {
				return err
			}
			return a.showMarks(marks)
		},
	}
}

func (a *app) showMarks(marks []store.SubjectMark) error {
	all := []markView{}
	rows := [][]string{{"SUB", "BLOCKED", "NOT BEFORE", "CHANGED", "NOTE"}}
	for _, m := range marks {
		all = append(all, viewOfMark(m))
		blocked := "no"
		if m.Blocked {
			blocked = "yes"
		}
		rows = append(rows, []string{m.Sub, blocked, stamp(m.NotBefore), stamp(m.Changed), m.Note})
	}
	return a.print(all, func(w io.Writer) {
		if len(all) == 0 {
			fmt.Fprintln(w, "no subject is blocked or bounded")
			return
		}
		table(w, rows)
	})
}
