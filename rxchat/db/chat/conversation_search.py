"""One query over the titles, messages and documents of a user."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import text

from rxchat.db.platform.single_reads import Read
from rxchat.domain.conversation_search import HIT_BEGIN, HIT_END, ConversationQuery, Found, FoundKind

MOST = 20
"""How many results of each kind are returned."""
_LIKE_SIGNS = str.maketrans({"\\": "\\\\", "%": "\\%", "_": "\\_"})
# A user has thousands of messages, not millions: the owner's part of an index is read, and no index of all words, whose
# lists of frequent words are those of all users together. The text itself is compared, too: with words that are too frequent
# to be lexemes, and with beginnings that are longer than a stem ("migratio").
_SEARCH = text(
    f"""
    WITH RECURSIVE asked AS MATERIALIZED (SELECT to_tsquery('rxchat', (:stems)::text) AS words),
    hidden AS (
        SELECT id, conversation_id FROM message WHERE owner_id = (:owner)::uuid AND is_deleted
        UNION
        SELECT message.id, message.conversation_id FROM hidden
          JOIN message ON message.owner_id = (:owner)::uuid AND message.conversation_id = hidden.conversation_id
                      AND message.parent_id = hidden.id),
    tagged AS MATERIALIZED (
        SELECT conversation_id AS id FROM conversation_tag JOIN tag ON tag.owner_id = conversation_tag.owner_id AND tag.id = tag_id
         WHERE conversation_tag.owner_id = (:owner)::uuid AND lower(tag.name) = lower((:tag)::text)),
    inside AS (
        SELECT id FROM project WHERE owner_id = (:owner)::uuid AND lower(name) = lower((:project)::text)
        UNION
        SELECT project.id FROM inside JOIN project ON project.owner_id = (:owner)::uuid AND project.parent_id = inside.id),
    placed AS MATERIALIZED (
        SELECT conversation_id AS id FROM conversation_project
         WHERE owner_id = (:owner)::uuid AND project_id IN (SELECT id FROM inside)),
    titles AS (
        SELECT id, title, updated_at AS at,
               (title ILIKE (:like)::text)::integer + word_similarity((:words)::text, title) AS rank
          FROM conversation, asked
         WHERE owner_id = (:owner)::uuid AND deleted_at IS NULL AND NOT (:is_filtered)::boolean
           AND ((:tag)::text = '' OR id IN (SELECT id FROM tagged)) AND ((:project)::text = '' OR id IN (SELECT id FROM placed))
           AND ((:words)::text <> '' OR (:is_placed)::boolean)
           AND ((:words)::text = '' OR title ILIKE (:like)::text OR word_similarity((:words)::text, title) >= 0.5 OR to_tsvector('rxchat', title) @@ asked.words)
         ORDER BY rank DESC, updated_at DESC LIMIT (:most)::integer),
    said AS (
        SELECT message.id, message.conversation_id, conversation.title, message.text, message.created_at AS at
          FROM asked, message JOIN conversation
            ON conversation.owner_id = message.owner_id AND conversation.id = message.conversation_id
         WHERE message.owner_id = (:owner)::uuid AND conversation.deleted_at IS NULL
           AND ((:words)::text <> '' OR (:is_filtered)::boolean)
           AND ((:tag)::text = '' OR message.conversation_id IN (SELECT id FROM tagged))
           AND ((:project)::text = '' OR message.conversation_id IN (SELECT id FROM placed))
           AND (numnode(asked.words) > 0 AND message.lexemes @@ asked.words OR message.text ILIKE ALL ((:stems_like)::text[]))
           AND message.text ILIKE ALL ((:parts_like)::text[])
           AND ((:model)::text = '' OR message.model ILIKE (:model_like)::text)
           AND ((:after)::timestamptz IS NULL OR message.created_at >= (:after)::timestamptz) AND ((:before)::timestamptz IS NULL OR message.created_at < (:before)::timestamptz)
           AND (NOT (:has_code)::boolean OR message.text LIKE '%```%') AND (NOT (:has_files)::boolean OR message.attachments <> '[]')
           AND message.id NOT IN (SELECT id FROM hidden)
         ORDER BY message.created_at DESC, message.id DESC LIMIT (:most)::integer),
    documents AS (
        SELECT id, name, created_at AS at, (name ILIKE (:like)::text)::integer + word_similarity((:words)::text, name) AS rank
          FROM document
         WHERE EXISTS (SELECT FROM collection WHERE collection.owner_id = document.owner_id
                          AND collection.id = document.collection_id AND collection.kind = 'library')
           AND deleted_at IS NULL AND version_state = 'current' AND state <> 'uploading' AND parent_id IS NULL
           AND (:words)::text <> '' AND NOT (:is_filtered)::boolean AND NOT (:is_placed)::boolean
           AND (name ILIKE (:like)::text OR word_similarity((:words)::text, name) >= 0.5)
         ORDER BY rank DESC, created_at DESC LIMIT (:most)::integer)
    SELECT '{FoundKind.CONVERSATION}' AS kind, id, NULL::uuid AS conversation_id, title, '' AS snippet, at, rank
      FROM titles
    UNION ALL
    SELECT '{FoundKind.MESSAGE}', said.id, conversation_id, title,
           ts_headline('rxchat', translate(substr(said.text, greatest(1, strpos(lower(said.text), lower((:first_part)::text)) - 80), 400),
                                           (:marks)::text, ''), words, (:headline)::text), at, 0
      FROM said, asked
    UNION ALL
    SELECT '{FoundKind.DOCUMENT}', id, NULL::uuid, name, '', at, rank FROM documents
     ORDER BY kind, rank DESC, at DESC, id DESC
    """  # noqa: S608 - put together from constants
)
_HEADLINE = f"StartSel={HIT_BEGIN}, StopSel={HIT_END}, MaxWords=26, MinWords=12, MaxFragments=1"


async def search(read: Read, owner_id: UUID, query: ConversationQuery) -> list[Found]:
    """Return what matches, at most `MOST` of each kind: titles and names by likeness, messages newest first."""
    found = await read(
        _SEARCH,
        {
            "owner": owner_id,
            "words": query.words,
            "like": _like(query.words),
            "stems": " & ".join(map(_prefix, query.stems)),
            "stems_like": [_like(stem) for stem in query.stems],
            "parts_like": [_like(part) for part in query.parts],
            "first_part": next(iter((*query.parts, *query.stems)), ""),
            "is_filtered": query.is_filtered,
            "model": query.model,
            "model_like": _like(query.model),
            "after": query.after,
            "before": query.before,
            "has_code": query.has_code,
            "has_files": query.has_files,
            "tag": query.tag,
            "project": query.project,
            "is_placed": query.is_placed,
            "headline": _HEADLINE,
            "marks": HIT_BEGIN + HIT_END,
            "most": MOST,
        },
    )
    return [Found(FoundKind(row.kind), row.id, row.conversation_id, row.title, row.snippet, row.at) for row in found]


def _like(words: str) -> str:
    return f"%{words.translate(_LIKE_SIGNS)}%"


def _prefix(word: str) -> str:
    """Return the word as an operand of a tsquery that matches all words that begin with it."""
    escaped = word.replace("\\", "\\\\").replace("'", "''")
    return f"'{escaped}':*"
