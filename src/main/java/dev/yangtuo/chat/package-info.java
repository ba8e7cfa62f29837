/**
 * Conversations with a model. Read in this order: {@link dev.yangtuo.chat.ChatMessage}, {@link dev.yangtuo.chat.ChatTemplate} (messages to the text
 * of a prompt), {@link dev.yangtuo.chat.ChatPrompt} (that text, and which of it are the messages' words), {@link dev.yangtuo.chat.Session} (a
 * conversation).
 */
@org.jspecify.annotations.NullMarked
package dev.yangtuo.chat;
