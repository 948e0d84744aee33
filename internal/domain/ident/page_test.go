package ident

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
)

// stateWords and eventWords say in docs/lifecycle.md what the code calls by short names.
var stateWords = map[State]string{
	Created:        "the company has sent its data, or part of them; nobody has begun",
	Waiting:        "the user waits for an agent",
	InProcess:      "an agent, or a machine, is at work",
	Aborted:        "the last attempt ended without a verdict; the user may try again unless the reason is permanent",
	ReviewPending:  "identified; a second person still looks at it",
	FraudPending:   "fraud is suspected; a second person still looks at it",
	Success:        "identified, and everything is as the company sent it",
	SuccessChanged: "identified, and some field is not as the company sent it",
	FraudConfirmed: "it was fraud",
	Canceled:       "not usable; its personal data and files are gone; the company may open it again with new data unless the reason is permanent",
	Archived:       "the company has filed it away; no list of the specification shows it",
	Deleted:        "gone; what is left is the Ident-ID, so that it is never given again",
}

var eventWords = map[Event]string{
	DataSent:         "the company sends its data again",
	AgentRequested:   "the user asks to be identified",
	AgentTook:        "an agent, or a machine, begins",
	AttemptAborted:   "the attempt ends without a verdict",
	AgentIdentified:  "verdict: identified",
	AgentSuspected:   "verdict: fraud suspected",
	ReviewConfirmed:  "review: right, nothing changed",
	ReviewChanged:    "review: right, with changed data",
	ReviewFraud:      "review: it was fraud",
	ReviewCanceled:   "review: not usable",
	CompanyArchived:  "the company files it away",
	DeletionDemanded: "somebody entitled wants it gone",
}

func TestLifecyclePageIsDrawnFromTheTable(t *testing.T) {
	var b strings.Builder
	b.WriteString(`# The life of an identification

Drawn from the table in ` + "`internal/domain/ident/lifecycle.go`" + ` by the tests of that package: change the table, then
run ` + "`go test ./internal/domain/ident -update`" + `. What has no arrow cannot happen. Every state but the last can also be
deleted, and data sent again change nothing of the state; the diagram leaves both out, the table shows them.

` + "```mermaid\nstateDiagram-v2\n    [*] --> CREATED\n")
	for _, s := range States {
		for _, e := range Events {
			if to, err := s.Next(e); err == nil && e != DeletionDemanded && to != s {
				// A second colon would end the label.
				fmt.Fprintf(&b, "    %s --> %s: %s\n", s, to, strings.ReplaceAll(eventWords[e], ": ", " – "))
			}
		}
	}
	b.WriteString("```\n\n## The states\n\n| state | means | list |\n| --- | --- | --- |\n")
	for _, s := range States {
		if stateWords[s] == "" {
			t.Errorf("%s has no words", s)
		}
		list := string(s.List())
		if list == "" {
			list = "none"
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", s, stateWords[s], list)
	}
	b.WriteString("\n## What follows from what\n\n| in | when | then |\n| --- | --- | --- |\n")
	for _, s := range States {
		for _, e := range Events {
			if eventWords[e] == "" {
				t.Errorf("%s has no words", e)
			}
			if to, err := s.Next(e); err == nil {
				fmt.Fprintf(&b, "| `%s` | %s | `%s` |\n", s, eventWords[e], to)
			}
		}
	}
	b.WriteString(`
## What is refused

Data for an identification that is finished (` + states(func(s State) bool { return refusal(s, DataSent) == "finished" }) + `) are answered
with 409: they would have no effect any more. So is asking for another attempt where none can follow (` +
		states(func(s State) bool { return refusal(s, AgentRequested) == "finished" }) + `).
Everything else that has no line above is answered with 412.

An aborted or canceled identification with one of these reasons refuses data and attempts with 409 too: ` + permanents() + `.
`)
	golden(t, filepath.Join("..", "..", "..", "docs", "lifecycle.md"), b.String())
}

// refusal names the fault of what cannot happen; empty: it can.
func refusal(s State, e Event) string {
	_, err := s.Next(e)
	if err == nil {
		return ""
	}
	word, _, _ := strings.Cut(err.Error(), ":")
	return word
}

func states(which func(State) bool) string {
	var names []string
	for _, s := range States {
		if s != Deleted && which(s) {
			names = append(names, "`"+string(s)+"`")
		}
	}
	return strings.Join(names, ", ")
}

func permanents() string {
	var names []string
	for _, f := range Failures {
		if f.Permanent {
			names = append(names, "`"+string(f.Reason)+"`")
		}
	}
	return strings.Join(names, ", ")
}
