package ident

import (
	"slices"

	"vidimus/internal/domain/fault"
)

// State is where an identification stands. The values are the ones the status route
// shows.
type State string

// The states (chapter 2, 14.2).
const (
	Created        State = "CREATED"
	Waiting        State = "WAITING"
	InProcess      State = "IN_PROCESS"
	Aborted        State = "ABORTED"
	ReviewPending  State = "REVIEW_PENDING"
	FraudPending   State = "FRAUD_SUSPICION_PENDING"
	Success        State = "SUCCESS"
	SuccessChanged State = "SUCCESS_DATA_CHANGED"
	FraudConfirmed State = "FRAUD_SUSPICION_CONFIRMED"
	Canceled       State = "CANCELED"
	Archived       State = "ARCHIVED"
	Deleted        State = "DELETED" // never stored: what is left is a tombstone
)

// States lists every state in the order of an identification's life.
var States = []State{
	Created, Waiting, InProcess, Aborted, ReviewPending, FraudPending,
	Success, SuccessChanged, FraudConfirmed, Canceled, Archived, Deleted,
}

// Event is what happens to an identification.
type Event string

// The events.
const (
	DataSent         Event = "DATA_SENT"         // the company sends its data again
	AgentRequested   Event = "AGENT_REQUESTED"   // the user asks to be identified
	AgentTook        Event = "AGENT_TOOK"        // somebody, or a machine, begins
	AttemptAborted   Event = "ATTEMPT_ABORTED"   // the attempt ends without a verdict
	AgentIdentified  Event = "AGENT_IDENTIFIED"  // verdict: identified
	AgentSuspected   Event = "AGENT_SUSPECTED"   // verdict: fraud suspected
	ReviewConfirmed  Event = "REVIEW_CONFIRMED"  // review: right, and nothing changed
	ReviewChanged    Event = "REVIEW_CHANGED"    // review: right, with changed data
	ReviewFraud      Event = "REVIEW_FRAUD"      // review: it was fraud
	ReviewCanceled   Event = "REVIEW_CANCELED"   // review: not usable
	CompanyArchived  Event = "COMPANY_ARCHIVED"  // the company files it away
	DeletionDemanded Event = "DELETION_DEMANDED" // somebody entitled wants it gone
)

// Events lists every event in the order of an identification's life.
var Events = []Event{
	DataSent, AgentRequested, AgentTook, AttemptAborted, AgentIdentified, AgentSuspected,
	ReviewConfirmed, ReviewChanged, ReviewFraud, ReviewCanceled, CompanyArchived, DeletionDemanded,
}

// moves is the lifecycle: what is not in it cannot happen. docs/lifecycle.md is drawn from
// it.
var moves = map[State]map[Event]State{
	Created:        {DataSent: Created, AgentRequested: Waiting, DeletionDemanded: Deleted},
	Waiting:        {DataSent: Waiting, AgentTook: InProcess, AttemptAborted: Aborted, DeletionDemanded: Deleted},
	InProcess:      {DataSent: InProcess, AgentIdentified: ReviewPending, AgentSuspected: FraudPending, AttemptAborted: Aborted, DeletionDemanded: Deleted},
	Aborted:        {DataSent: Aborted, AgentRequested: Waiting, DeletionDemanded: Deleted}, // a user may try again (14.2)
	ReviewPending:  {ReviewConfirmed: Success, ReviewChanged: SuccessChanged, ReviewFraud: FraudConfirmed, ReviewCanceled: Canceled, DeletionDemanded: Deleted},
	FraudPending:   {ReviewConfirmed: Success, ReviewChanged: SuccessChanged, ReviewFraud: FraudConfirmed, ReviewCanceled: Canceled, DeletionDemanded: Deleted},
	Success:        {CompanyArchived: Archived, DeletionDemanded: Deleted},
	SuccessChanged: {CompanyArchived: Archived, DeletionDemanded: Deleted},
	FraudConfirmed: {CompanyArchived: Archived, DeletionDemanded: Deleted},
	Canceled:       {DataSent: Created, DeletionDemanded: Deleted}, // opened again, with new data
	Archived:       {DeletionDemanded: Deleted},
	Deleted:        {},
}

// Next returns the state that follows from s when e happens. What cannot happen is
// fault.Finished for the company's data (it has no effect any more) and fault.Precondition
// for everything else.
func (s State) Next(e Event) (State, error) {
	if to, ok := moves[s][e]; ok {
		return to, nil
	}
	if e == DataSent || e == AgentRequested && s != Waiting && s != InProcess {
		return s, fault.Of(fault.Finished)
	}
	return s, fault.New(fault.Precondition, "the identification is %s", s)
}

// List is the list of the company that shows an identification (8.3.2).
type List string

// The lists. Archived ones are in none of the four that the specification knows.
const (
	ListFinished List = "finished"
	ListPending  List = "pending"
	ListCanceled List = "canceled"
	ListAborted  List = "aborted"
	ListArchived List = "archived"
)

// List returns the list that shows identifications of this state; none for Deleted.
func (s State) List() List {
	switch s {
	case Created, Waiting, InProcess, ReviewPending, FraudPending:
		return ListPending
	case Aborted:
		return ListAborted
	case Success, SuccessChanged, FraudConfirmed:
		return ListFinished
	case Canceled:
		return ListCanceled
	case Archived:
		return ListArchived
	case Deleted:
		return ""
	}
	return ""
}

// Final says whether the review is over and a result stands: it may be archived or copied.
func (s State) Final() bool { return s.List() == ListFinished || s == Archived }

// Preliminary says whether a result waits for its review.
func (s State) Preliminary() bool { return s == ReviewPending || s == FraudPending }

// Open says whether an attempt is under way.
func (s State) Open() bool { return s == Waiting || s == InProcess }

// Valid says whether s is one of the states that a store may hold.
func (s State) Valid() bool { return s != Deleted && slices.Contains(States, s) }
