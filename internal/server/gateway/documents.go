package gateway

import (
	"encoding/json"
	"net/http"
	"slices"

	"vidimus/internal/domain/esign"
	"vidimus/internal/domain/fault"
	"vidimus/internal/domain/ident"
	"vidimus/internal/server/web"
	"vidimus/internal/service/account"
)

// documentAnswer is a document as 7.2 prints it: what has no value yet is null.
type documentAnswer struct {
	Name        string           `json:"name"`
	Version     *string          `json:"version"`
	Hash        *string          `json:"hash"`
	DisplayHash *string          `json:"displayHash"`
	Status      esign.Status     `json:"status"`
	Definition  definitionAnswer `json:"documentDefinition"`
	Signatures  signatureAnswers `json:"signatures,omitempty"`
}

func answerDocument(d esign.Document) documentAnswer {
	return documentAnswer{
		Name: d.Name, Version: orNull(d.Version), Hash: orNull(d.File.Hex()), DisplayHash: orNull(d.File.Display()), Status: d.Status(),
		Definition: answerDefinition(d.Definition), Signatures: d.Signatures,
	}
}

// ofDocument returns the identification of the path, and the document that the path names;
// one that cannot be is not found.
func (g *Gateway) ofDocument(r *http.Request) (*account.Account, ident.Identification, esign.Identifier, error) {
	a, err := g.byToken(r)
	if err != nil {
		return nil, ident.Identification{}, "", err
	}
	i, err := g.Identify.Find(r.Context(), a.ID, numberOf(r))
	if err != nil {
		return nil, i, "", err
	}
	id, err := documentOf(r)
	return a, i, id, err
}

func documentOf(r *http.Request) (esign.Identifier, error) {
	id, err := esign.ParseIdentifier(pathValue(r, "document"))
	if err != nil {
		return "", fault.Of(fault.NotFound)
	}
	return id, nil
}

// documents lists the documents of an identification (7.2.1).
func (g *Gateway) documents(w http.ResponseWriter, r *http.Request) error {
	a, err := g.byToken(r)
	if err != nil {
		return err
	}
	i, err := g.Identify.Find(r.Context(), a.ID, numberOf(r))
	if err != nil {
		return err
	}
	all, err := g.Signing.Documents(r.Context(), i)
	if err != nil {
		return err
	}
	list := make([]documentAnswer, len(all))
	for n, d := range all {
		list[n] = answerDocument(d)
	}
	writeJSON(w, http.StatusOK, list)
	return nil
}

// document answers one document (7.2.2).
func (g *Gateway) document(w http.ResponseWriter, r *http.Request) error {
	_, i, id, err := g.ofDocument(r)
	if err != nil {
		return err
	}
	d, err := g.Signing.Document(r.Context(), i, id)
	if err != nil {
		return err
	}
	writeJSON(w, http.StatusOK, answerDocument(d))
	return nil
}

// updateDocument changes what may be changed of a document (7.2.3).
func (g *Gateway) updateDocument(w http.ResponseWriter, r *http.Request) error {
	a, i, id, err := g.ofDocument(r)
	if err != nil {
		return err
	}
	sent, err := web.ReadObject(w, r)
	if err != nil {
		return err
	}
	var change esign.DocumentChange
	if change.Signatures, err = readFields(a, sent, change.Set); err != nil {
		return err
	}
	if err := g.Signing.UpdateDocument(r.Context(), a, i, id, change); err != nil {
		return err
	}
	writeJSON(w, http.StatusOK, struct{}{})
	return nil
}

// readFields takes the fields of a definition or a document: set takes those that are
// scalars, the signatures are returned. Every wrong field is a fault of its own.
func readFields(a *account.Account, sent []web.Member, set func(field string, value any) error) (*[]esign.Signature, error) {
	var wrong fault.List
	var signatures *[]esign.Signature
	for _, m := range sent {
		if m.Key == "signatures" {
			list, err := readSignatures(esign.RulesOf(a.ESign), m.Value)
			wrong = append(wrong, fault.All(err)...)
			signatures = list
			continue
		}
		wrong = append(wrong, fault.All(set(m.Key, scalar(m.Value)))...)
	}
	return signatures, forbiddenFirst(wrong).Err()
}

// forbiddenFirst leaves only what the account may not do at all, if there is any of it: no
// correction of the rest would help.
func forbiddenFirst(all fault.List) fault.List {
	var forbidden fault.List
	for _, f := range all {
		if f.Kind == fault.Forbidden {
			forbidden = append(forbidden, f)
		}
	}
	if len(forbidden) > 0 {
		return forbidden
	}
	return all
}

// notScalar stands for an object or an array: no field takes it, and an unknown field is
// unknown all the same.
type notScalar struct{}

func scalar(value json.RawMessage) any {
	v, ok := web.Scalar(value)
	if !ok {
		return notScalar{}
	}
	return v
}

// readSignatures reads {"name": {…}, …} (7.1.2); nil for null, which says nothing.
func readSignatures(rules esign.Rules, value json.RawMessage) (*[]esign.Signature, error) {
	if scalar(value) == nil {
		return nil, nil
	}
	members, err := web.ParseObject(value)
	if err != nil {
		return nil, fault.Value("signatures")
	}
	list := []esign.Signature{}
	var wrong fault.List
	for _, m := range members {
		s, err := readSignature(rules, m)
		wrong = append(wrong, fault.All(err)...)
		list = append(list, s)
	}
	return &list, wrong.Err()
}

func readSignature(rules esign.Rules, m web.Member) (esign.Signature, error) {
	s, err := rules.NewSent(m.Key)
	if err != nil {
		return esign.Signature{}, err
	}
	members, err := web.ParseObject(m.Value)
	if err != nil {
		return esign.Signature{}, fault.Value("signatures")
	}
	var wrong fault.List
	for _, field := range members {
		if field.Key != "position" {
			wrong = append(wrong, fault.All(s.Set(field.Key, scalar(field.Value)))...)
			continue
		}
		position, err := web.ParseObject(field.Value)
		if err != nil {
			wrong = append(wrong, fault.Value("position"))
		}
		for _, p := range position {
			wrong = append(wrong, fault.All(s.SetPosition(p.Key, scalar(p.Value)))...)
		}
	}
	done, err := s.Done()
	for _, f := range fault.All(err) {
		if !slices.ContainsFunc(wrong, func(w *fault.Error) bool { return w.Key == f.Key }) {
			wrong = append(wrong, f)
		}
	}
	return done, wrong.Err()
}

// uploadDocument stores the file of a document (7.2.4).
func (g *Gateway) uploadDocument(w http.ResponseWriter, r *http.Request) error {
	a, i, id, err := g.ofDocument(r)
	if err != nil {
		return err
	}
	body, err := upload(w, r)
	if err != nil {
		return err
	}
	if err := g.Signing.Upload(r.Context(), a, i, id, body); err != nil {
		return err
	}
	w.WriteHeader(http.StatusOK)
	return nil
}

// downloadDocument hands back what was uploaded.
func (g *Gateway) downloadDocument(w http.ResponseWriter, r *http.Request) error {
	_, i, id, err := g.ofDocument(r)
	if err != nil {
		return err
	}
	c, err := g.Signing.File(r.Context(), i, id)
	if err != nil {
		return err
	}
	return g.sendDocument(w, r, i, id, c, false)
}

// signedDocument hands out what was signed (7.2.6).
func (g *Gateway) signedDocument(w http.ResponseWriter, r *http.Request) error {
	a, i, id, err := g.ofDocument(r)
	if err != nil {
		return err
	}
	c, err := g.Signing.SignedFile(r.Context(), a, i, id)
	if err != nil {
		return err
	}
	return g.sendDocument(w, r, i, id, c, true)
}

// uploadLink answers the address of the page where the user uploads the first document
// (7.2.5).
func (g *Gateway) uploadLink(w http.ResponseWriter, r *http.Request) error {
	a, err := g.byToken(r)
	if err != nil {
		return err
	}
	i, err := g.Identify.Find(r.Context(), a.ID, numberOf(r))
	if err != nil {
		return err
	}
	link, err := g.Signing.UploadLink(r.Context(), i)
	if err != nil {
		return err
	}
	writeJSON(w, http.StatusOK, struct {
		Link string `json:"link"`
	}{link})
	return nil
}
